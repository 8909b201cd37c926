import { Effect, Schema } from "effect"
import { command, query } from "../../src/projection/operation.ts"
import { AgentId } from "../agent-id.ts"
import { DEFAULT_INTERVAL_MS, HealthState } from "../vitals/interval.ts"
import { GivenMoment, happened } from "../moment.ts"
import { numbered } from "../page.ts"
import { Recorded, recorded } from "../recorded.ts"
import { HeartbeatRecorded, heartbeatStream } from "./events.ts"

const READ = "heartbeats:read"
const WRITE = "heartbeats:write"

/** How far back `recent` looks, in minutes. */
const RECENT_MINUTES = 5

const DEFAULT_LIMIT = 1_000
const MAX_LIMIT = 10_000

/** How many beats health by minutes looks back for the beginning of the present run. */
const HEALTH_BEATS = 1_000

const Minutes = Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 1_000_000 }))
const Limit = Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: MAX_LIMIT }))

export const Heartbeat = Schema.Struct({
  /** Its position in the log. */
  id: Schema.Int,
  agent: Schema.String,
  timestamp: Schema.Date,
  state: Schema.NullOr(Schema.String),
  errorCount: Schema.Int,
  metrics: Schema.Json,
  occurredAt: Schema.NullOr(Schema.Date),
  recordedAt: Schema.Date
})
export type Heartbeat = typeof Heartbeat.Type

export const Health = Schema.Struct({
  agent: Schema.String,
  /** What the watchdog of the fleet said last, by the agent's interval; unknown before the first beat, and where it is stopped or retired. */
  health: HealthState,
  /** Whether its health is `healthy`; where minutes were given, whether it beat in these. */
  healthy: Schema.Boolean,
  /** Since when it has been so; by minutes, as far as the last thousand beats tell. Null where nothing is known of it. */
  since: Schema.NullOr(Schema.Date),
  /** How many beats it has missed by now, one after the other. */
  missed: Schema.Int,
  /** How often it is expected to beat: what it declared, or 60 000 ms. */
  intervalMs: Schema.Int,
  lastBeatAt: Schema.NullOr(Schema.Date),
  state: Schema.NullOr(Schema.String),
  errorCount: Schema.NullOr(Schema.Int)
})
export type Health = typeof Health.Type

export const record = command({
  name: "heartbeats.record",
  description: "Records that an agent is alive, with its state, its errors so far and what it measured.",
  scope: WRITE,
  input: Schema.Struct({
    agent: AgentId,
    state: Schema.optionalKey(Schema.String),
    errorCount: Schema.optionalKey(
      Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 2_147_483_647 }))
    ),
    metrics: Schema.optionalKey(Schema.Record(Schema.String, Schema.Json)),
    occurredAt: Schema.optionalKey(GivenMoment)
  }),
  output: Recorded,
  example: { agent: "billing-7", state: "running", errorCount: 0, metrics: { cpu: 0.2 } },
  run: ({ agent, occurredAt, ...beat }, { emit }) =>
    Effect.map(emit(heartbeatStream(agent), HeartbeatRecorded.make(beat, happened(occurredAt))), recorded)
})

export const recent = query({
  name: "heartbeats.recent",
  description: "The latest heartbeats, newest first: of all agents or one, in the last 5 minutes or so many.",
  scope: READ,
  input: Schema.Struct({
    agent: Schema.optionalKey(AgentId),
    minutes: Schema.optionalKey(Minutes),
    limit: Schema.optionalKey(Limit)
  }),
  output: Schema.Array(Heartbeat),
  example: { agent: "billing-7", minutes: 10 },
  run: ({ agent = null, minutes = RECENT_MINUTES, limit = DEFAULT_LIMIT }, context) =>
    Effect.map(
      context.query<Heartbeat>("#projections/heartbeats/recent.sql", [agent, minutes, limit], {
        planned: "anew"
      }),
      numbered
    )
})

export const health = query({
  name: "heartbeats.health",
  description:
    "How an agent is by its interval, and since when: healthy, late after two missed beats, lost after three, or unknown. With minutes, healthy is who beat in these, whatever its interval.",
  scope: READ,
  reads: ["vitals"],
  input: Schema.Struct({ agent: AgentId, minutes: Schema.optionalKey(Minutes) }),
  output: Health,
  example: { agent: "billing-7" },
  run: Effect.fnUntraced(function* ({ agent, minutes }, { query: ask }) {
    const values = [agent, DEFAULT_INTERVAL_MS]
    const [row] = yield* ask<Omit<Health, "agent" | "healthy">>("#projections/heartbeats/health.sql", values)
    const judged = { agent, healthy: row!.health === "healthy", ...row! }
    if (minutes === undefined) return judged
    const [beating] = yield* ask<Pick<Health, "healthy" | "since">>("#projections/heartbeats/beating.sql", [
      agent,
      minutes,
      HEALTH_BEATS
    ])
    return { ...judged, ...beating! }
  })
})
