import { Schema } from "effect"
import { eventType } from "../../src/log/event-type.ts"
import { Moment } from "../moment.ts"
import { Severity } from "../system-events/events.ts"

/** The category of the streams of alerts, one stream per rule: of those who judge at once, its version lets one through. */
export const ALERT = "alert"

export const alertStream = (rule: string): string => `${ALERT}-${rule}`

/** Whom an alert concerns that concerns the fleet as a whole. */
export const FLEET = "fleet"

/** Why an alert is over: its condition is; nothing is measured any more; or its rule is another, off, or gone. */
export const ClearedWhy = Schema.Literals([
  "over",
  "no_data",
  "rule_changed",
  "rule_disabled",
  "rule_removed"
])
export type ClearedWhy = typeof ClearedWhy.Type

const AlertId = Schema.String.check(Schema.isUUID())

/** A condition is met. The id of this event is the alert's. */
export const AlertRaised = eventType(
  "AlertRaised",
  Schema.Struct({
    /** An agent, a read model, or `fleet`. */
    subject: Schema.String,
    severity: Severity,
    kind: Schema.String,
    /** What was found; null where that is beyond what can be told. */
    value: Schema.NullOr(Schema.Finite),
    threshold: Schema.Finite,
    /** Since when it has been so, as far as that is known. */
    since: Moment,
    summary: Schema.String,
    /** Of the stream of the rule, by which it was judged. */
    ruleVersion: Schema.Int
  })
)

export const AlertCleared = eventType(
  "AlertCleared",
  Schema.Struct({
    alert: AlertId,
    subject: Schema.String,
    severity: Severity,
    why: ClearedWhy,
    /** What was found; null where nothing was. */
    value: Schema.NullOr(Schema.Finite),
    /** From the event that raised it on. */
    lastedMs: Schema.Int
  })
)

/** Somebody has seen it. */
export const AlertAcknowledged = eventType(
  "AlertAcknowledged",
  Schema.Struct({ alert: AlertId, subject: Schema.String, note: Schema.optionalKey(Schema.String) })
)

export const ALERT_EVENTS = [AlertRaised, AlertCleared, AlertAcknowledged] as const

/** For subscriptions to some of them: `rule:<name>` and `severity:<severity>`. */
export const alertLabels = (rule: string, severity: Severity): ReadonlyArray<string> => [
  `rule:${rule}`,
  `severity:${severity}`
]
