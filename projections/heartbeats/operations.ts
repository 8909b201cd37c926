import { Effect, Schema } from "effect"
import { command, query } from "../../src/projection/operation.ts"
import { AgentId } from "../agent-id.ts"
import { GivenMoment, happened } from "../moment.ts"
import { numbered } from "../page.ts"
import { Recorded, recorded } from "../recorded.ts"
import { HeartbeatRecorded, heartbeatStream } from "./events.ts"

const READ = "heartbeats:read"
const WRITE = "heartbeats:write"

/** How many minutes without a beat an agent may be and still count as healthy, and how far back `recent` looks. */
const DEFAULT_MINUTES = 5

const DEFAULT_LIMIT = 1_000
const MAX_LIMIT = 10_000

/** How many beats health looks back for the beginning of the present run. */
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
  healthy: Schema.Boolean,
  /** Since when it has been so, as far as the last thousand beats tell; null where it never beat. */
  since: Schema.NullOr(Schema.Date),
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
  run: ({ agent = null, minutes = DEFAULT_MINUTES, limit = DEFAULT_LIMIT }, context) =>
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
    "Whether an agent beats, and since when: healthy is who beat in the last 5 minutes or so many.",
  scope: READ,
  input: Schema.Struct({ agent: AgentId, minutes: Schema.optionalKey(Minutes) }),
  output: Health,
  example: { agent: "billing-7" },
  run: ({ agent, minutes = DEFAULT_MINUTES }, context) =>
    Effect.map(
      context.query<Omit<Health, "agent">>("#projections/heartbeats/health.sql", [
        agent,
        minutes,
        HEALTH_BEATS
      ]),
      ([row]) => ({ agent, ...row! })
    )
})
