import { Schema } from "effect"
import { eventType } from "../../src/log/event-type.ts"
import { Severity } from "../system-events/events.ts"
import { WholeCondition } from "./condition.ts"

/** The category of the streams of rules, one stream per rule. */
export const ALERT_RULE = "alertrule"

/** Leaves room for what precedes it in a label. */
const MAX_LENGTH = 100

/** A rule's name: it stands in the names of its streams, `alertrule-<name>` and `alert-<name>`. */
export const RuleName = Schema.String.check(
  Schema.isPattern(/^[\x21-\x7e]+$/, {
    expected: "a rule's name of visible ASCII characters, without spaces"
  }),
  Schema.isMaxLength(MAX_LENGTH)
)

export const ruleStream = (rule: string): string => `${ALERT_RULE}-${rule}`

/** A rule as a whole, whatever it was before. */
export const AlertRuleSet = eventType(
  "AlertRuleSet",
  Schema.Struct({
    when: WholeCondition,
    severity: Severity,
    isEnabled: Schema.Boolean,
    description: Schema.optionalKey(Schema.String)
  })
)

export const AlertRuleRemoved = eventType("AlertRuleRemoved", Schema.Struct({}))

export const RULE_EVENTS = [AlertRuleSet, AlertRuleRemoved] as const
