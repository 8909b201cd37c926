import { Effect, Schema } from "effect"
import { command, query } from "../../src/projection/operation.ts"
import { AgentId } from "../agent-id.ts"
import { GivenMoment, happened } from "../moment.ts"
import { numbered } from "../page.ts"
import { Recorded, recorded } from "../recorded.ts"
import {
  asBadAs,
  SEVERITIES,
  Severity,
  SystemEventLogged,
  systemEventLabels,
  systemEventStream
} from "./events.ts"

const READ = "system_events:read"
const WRITE = "system_events:write"

const DEFAULT_SEVERITY: Severity = "INFO"

const DEFAULT_LIMIT = 100
const MAX_LIMIT = 1_000

/** How far back it is counted, in hours, unless it is said since when. */
const COUNT_HOURS = 24

/** In characters; with `event:` before it, it is a label. */
const MAX_TYPE_LENGTH = 100

const Type = Schema.String.check(
  Schema.isPattern(/^[^\s\p{C}](?:[^\p{C}]*[^\s\p{C}])?$/u, {
    expected: "a type of printable characters, without a space at either end"
  }),
  Schema.isMaxLength(MAX_TYPE_LENGTH)
)
const Limit = Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: MAX_LIMIT }))

const Period = { since: Schema.optionalKey(GivenMoment), until: Schema.optionalKey(GivenMoment) }

/** Something that was logged of the fleet or of an agent. */
export const SystemEvent = Schema.Struct({
  /** Its position in the log. */
  id: Schema.Int,
  type: Schema.String,
  data: Schema.Json,
  agent: Schema.NullOr(Schema.String),
  severity: Severity,
  timestamp: Schema.Date,
  occurredAt: Schema.NullOr(Schema.Date),
  recordedAt: Schema.Date
})
export type SystemEvent = typeof SystemEvent.Type

/** How many there are of each severity. */
export const SystemEventCounts = Schema.Record(Severity, Schema.Int)
export type SystemEventCounts = typeof SystemEventCounts.Type

export const log = command({
  name: "system_events.log",
  description: "Logs what happened to the fleet or to one of its agents: as INFO, or with another severity.",
  scope: WRITE,
  input: Schema.Struct({
    type: Type,
    data: Schema.optionalKey(Schema.Record(Schema.String, Schema.Json)),
    agent: Schema.optionalKey(AgentId),
    severity: Schema.optionalKey(Severity),
    occurredAt: Schema.optionalKey(GivenMoment)
  }),
  output: Recorded,
  example: { type: "disk_full", data: { free: 0 }, agent: "billing-7", severity: "ERROR" },
  run: ({ occurredAt, severity = DEFAULT_SEVERITY, ...said }, { emit }) => {
    const event = SystemEventLogged.make(
      { ...said, severity },
      { labels: systemEventLabels(said.type, severity), ...happened(occurredAt) }
    )
    return Effect.map(emit(systemEventStream(severity, said.agent), event), recorded)
  }
})

export const list = query({
  name: "system_events.list",
  description:
    "System events, the newest first: of a type, of an agent, as bad as a severity or worse, of a time; what comes before an id is the next page.",
  scope: READ,
  input: Schema.Struct({
    type: Schema.optionalKey(Type),
    agent: Schema.optionalKey(AgentId),
    severity: Schema.optionalKey(Severity),
    ...Period,
    limit: Schema.optionalKey(Limit),
    /** The id of the last one of the page before. */
    before: Schema.optionalKey(Schema.Int.check(Schema.isGreaterThan(0)))
  }),
  output: Schema.Array(SystemEvent),
  example: { agent: "billing-7", severity: "WARNING" },
  run: (wanted, context) => {
    const { type = null, agent = null, severity = SEVERITIES[0] } = wanted
    const { since = null, until = null, limit = DEFAULT_LIMIT, before = null } = wanted
    return Effect.map(
      context.query<SystemEvent>("#projections/system-events/list.sql", [
        asBadAs(severity),
        type,
        agent,
        since,
        until,
        before,
        limit
      ]),
      numbered
    )
  }
})

export const counts = query({
  name: "system_events.counts",
  description:
    "How many system events there are of each severity, in the last 24 hours or in the time asked for.",
  scope: READ,
  input: Schema.Struct(Period),
  output: SystemEventCounts,
  example: { since: "2026-01-31T00:00:00Z" },
  run: ({ since = null, until = null }, context) =>
    Effect.map(
      context.query<{ readonly severity: Severity; readonly count: number }>(
        "#projections/system-events/counts.sql",
        [SEVERITIES, since, until, COUNT_HOURS]
      ),
      (rows) => Object.fromEntries(rows.map(({ severity, count }) => [severity, count])) as SystemEventCounts
    )
})
