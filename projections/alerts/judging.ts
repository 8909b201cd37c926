import type { NewEvent } from "../../src/log/event.ts"
import type { Condition } from "../alert-rules/condition.ts"
import type { Severity } from "../system-events/events.ts"
import { AlertCleared, alertLabels, AlertRaised, type ClearedWhy } from "./events.ts"
import type { Finding } from "./finding.ts"

interface OpenAlert {
  readonly alert: string
  readonly subject: string
  readonly severity: Severity
  readonly ruleVersion: number
  readonly openMs: number
}

/** A rule that is there, or was, with its open alerts. */
export interface Standing {
  readonly rule: string
  /** Null where the rule is gone. */
  readonly ruleVersion: number | null
  readonly condition: Condition | null
  readonly severity: Severity | null
  readonly isEnabled: boolean | null
  /** Of the stream of its alerts. */
  readonly version: number
  readonly open: ReadonlyArray<OpenAlert>
}

/** A rule that is on. */
export interface Active extends Standing {
  readonly ruleVersion: number
  readonly condition: Condition
  readonly severity: Severity
}

export const isActive = (standing: Standing): standing is Active => standing.isEnabled === true

/** Who says it. */
const META = { actor: "alerts" }

/** Why an alert is to be cleared; undefined where it is to stay. */
const whyOver = (
  standing: Standing,
  { ruleVersion }: OpenAlert,
  finding: Finding | undefined
): ClearedWhy | undefined => {
  if (standing.ruleVersion === null) return "rule_removed"
  if (!isActive(standing)) return "rule_disabled"
  if (finding?.isMet === true) return undefined
  if (ruleVersion !== standing.ruleVersion) return "rule_changed"
  return finding === undefined && standing.condition.kind === "metric" ? "no_data" : "over"
}

const cleared = (
  rule: string,
  { alert, subject, severity, openMs }: OpenAlert,
  why: ClearedWhy,
  finding: Finding | undefined
): NewEvent =>
  AlertCleared.make(
    { alert, subject, severity, why, value: finding?.value ?? null, lastedMs: openMs },
    { labels: alertLabels(rule, severity), meta: META }
  )

const raised = ({ rule, ruleVersion, severity, condition: { kind } }: Active, finding: Finding): NewEvent => {
  const { subject, value, threshold, since, summary } = finding
  const data = { subject, severity, kind, value, threshold, since: since.toISOString(), summary, ruleVersion }
  return AlertRaised.make(data, { labels: alertLabels(rule, severity), meta: META })
}

/** What is to be said of the alerts of a rule, by what it finds: what is over, and then what is new. */
export const verdicts = (
  standing: Standing,
  findings: ReadonlyMap<string, Finding>
): ReadonlyArray<NewEvent> => {
  const { rule, open } = standing
  const known = new Set(open.map(({ subject }) => subject))
  const over = open.flatMap((one) => {
    const finding = findings.get(one.subject)
    const why = whyOver(standing, one, finding)
    return why === undefined ? [] : [cleared(rule, one, why, finding)]
  })
  if (!isActive(standing)) return over
  const met = [...findings.values()].filter(({ subject, isMet }) => isMet && !known.has(subject))
  return [...over, ...met.map((finding) => raised(standing, finding))]
}
