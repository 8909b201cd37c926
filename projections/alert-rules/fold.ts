import type { Event } from "../../src/log/event.ts"
import { categoryOf, idOf } from "../../src/log/name.ts"
import { entities } from "../../src/projection/definition.ts"
import { said } from "../said.ts"
import { ALERT_RULE, AlertRuleRemoved, AlertRuleSet } from "./events.ts"

/** A row of `alert_rules`. A bigint is text where it comes from the database. */
export type RuleRow = {
  readonly rule: string
  readonly version: number | string
  readonly kind: string
  readonly condition: unknown
  readonly severity: string
  readonly is_enabled: boolean
  readonly description: string | null
  readonly set_by: string | null
  readonly reason: string | null
  readonly created_at: Date
  readonly recorded_at: Date
}

const textOrNull = (given: unknown): string | null => (typeof given === "string" ? given : null)

/** A rule after an event; nothing where it was removed. What says no rule, as after a redaction, leaves it as it was. */
export const foldRule = (row: RuleRow | undefined, event: Event): RuleRow | undefined => {
  if (said(AlertRuleRemoved, event) !== undefined) return undefined
  const set = said(AlertRuleSet, event)
  if (set === undefined) return row
  return {
    rule: idOf(event.stream),
    version: event.version,
    kind: set.when.kind,
    condition: set.when,
    severity: set.severity,
    is_enabled: set.isEnabled,
    description: set.description ?? null,
    set_by: textOrNull(event.meta.actor),
    reason: textOrNull(event.meta.reason),
    created_at: row?.created_at ?? event.recordedAt,
    recorded_at: event.recordedAt
  }
}

export const ruleEntities = entities<RuleRow>({
  table: "alert_rules",
  key: "rule",
  keyOf: ({ stream }) => (categoryOf(stream) === ALERT_RULE ? idOf(stream) : undefined),
  fold: foldRule
})
