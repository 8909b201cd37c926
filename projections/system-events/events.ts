import { Schema } from "effect"
import { eventType } from "../../src/log/event-type.ts"
import { AgentId } from "../agent-id.ts"
import { Moment } from "../moment.ts"
import { MAX_NAME_LENGTH, shortText } from "../short-text.ts"

/** From the least to the worst. */
export const SEVERITIES = ["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"] as const

export const Severity = Schema.Literals(SEVERITIES)
export type Severity = typeof Severity.Type

/** The category of those that are kept for ever. */
export const SYSTEM_EVENT = "system_event"

/** The category of those that retention may drop: telemetry. */
export const SYSTEM_LOG = "system_log"

/** From this one on they are kept for ever. */
const DURABLE_FROM: Severity = "WARNING"

/** The id of the streams of what concerns no agent. */
const FLEET = "fleet"

/** The severities that are that bad, or worse. */
export const asBadAs = (severity: Severity): ReadonlyArray<Severity> =>
  SEVERITIES.slice(SEVERITIES.indexOf(severity))

/** Where a system event belongs, by its severity, which decides how long it is kept, and by whom it concerns. */
export const systemEventStream = (severity: Severity, agent: string = FLEET): string =>
  `${asBadAs(DURABLE_FROM).includes(severity) ? SYSTEM_EVENT : SYSTEM_LOG}-${agent}`

/** For subscriptions to some of them: `event:<type>` and `severity:<severity>`. */
export const systemEventLabels = (type: string, severity: Severity): ReadonlyArray<string> => [
  `event:${type}`,
  `severity:${severity}`
]

export const SystemEventLogged = eventType(
  "SystemEventLogged",
  Schema.Struct({
    type: shortText(MAX_NAME_LENGTH),
    severity: Severity,
    data: Schema.optionalKey(Schema.Record(Schema.String, Schema.Json)),
    agent: Schema.optionalKey(AgentId),
    occurredAt: Schema.optionalKey(Moment)
  })
)
