import { count, seconds } from "../../src/base/words.ts"
import type { ProjectionStanding } from "../../src/projection/standing.ts"
import type { Condition, ConditionOf } from "../alert-rules/condition.ts"
import { LATE_AFTER_MISSED, LOST_AFTER_MISSED } from "../vitals/interval.ts"
import { FLEET } from "./events.ts"

/** A rule that is on, as it is judged. */
export interface JudgedRule<C extends Condition = Condition> {
  readonly rule: string
  readonly condition: C
  /** Whom its open alerts concern. */
  readonly open: ReadonlyArray<string>
}

/** What a rule finds of somebody. */
export interface Finding {
  readonly rule: string
  readonly subject: string
  readonly isMet: boolean
  /** Null where it is beyond what can be told. */
  readonly value: number | null
  readonly threshold: number
  readonly since: Date
  /** In a sentence without its full stop. */
  readonly summary: string
}

const PERCENT = 100

const percent = (share: number): string => `${Math.round(share * PERCENT * 10) / 10} %`

const minutes = (many: number): string => (many === 0 ? "" : `, for ${count(many, "minute", "minutes")}`)

export interface MetricRow {
  readonly subject: string
  readonly value: string
  readonly since: Date
  readonly isMet: boolean
}

export const ofMetric = (
  { rule, condition: { metric, of, is, threshold, forMinutes } }: JudgedRule<ConditionOf<"metric">>,
  { subject, value, since, isMet }: MetricRow
): Finding => ({
  rule,
  subject,
  isMet,
  value: Number(value),
  threshold,
  since,
  summary: `${of} of ${metric} is ${Number(value)}, ${is} ${threshold}${minutes(forMinutes)}, of ${subject}`
})

export interface MissedRow {
  readonly subject: string
  readonly health: "late" | "lost"
  readonly since: Date
  readonly missed: number
}

export const ofMissedBeats = (
  { rule, condition: { from } }: JudgedRule<ConditionOf<"missed_beats">>,
  { subject, health, since, missed }: MissedRow
): Finding => ({
  rule,
  subject,
  isMet: true,
  value: missed,
  threshold: from === "lost" ? LOST_AFTER_MISSED : LATE_AFTER_MISSED,
  since,
  summary: `${subject} is ${health}: it has missed ${count(missed, "beat", "beats")}`
})

export interface ErrorsRow {
  readonly total: number
  readonly errors: number
  readonly since: Date | null
}

export const ofErrorRate = (
  { rule, condition }: JudgedRule<ConditionOf<"error_rate">>,
  { total, errors, since }: ErrorsRow
): Finding => {
  const { agent = FLEET, above, atLeast, windowMs } = condition
  const share = total === 0 ? 0 : errors / total
  return {
    rule,
    subject: agent,
    isMet: errors >= atLeast && share > above,
    value: share,
    threshold: above,
    since: since ?? new Date(),
    summary: `${percent(share)} of ${count(total, "system event", "system events")} in ${seconds(windowMs)} are errors, above ${percent(above)}, of ${agent}`
  }
}

export interface EventsRow {
  readonly events: number
  readonly since: Date | null
}

export const ofSystemEvent = (
  { rule, condition }: JudgedRule<ConditionOf<"system_event">>,
  { events, since }: EventsRow
): Finding => {
  const { agent = FLEET, type, severity, atLeast, windowMs } = condition
  const named = type === undefined ? "" : ` ${JSON.stringify(type)}`
  return {
    rule,
    subject: agent,
    isMet: events >= atLeast,
    value: events,
    threshold: atLeast,
    since: since ?? new Date(),
    summary: `${count(events, "system event", "system events")}${named}, ${severity} or worse, in ${seconds(windowMs)}, of ${agent}`
  }
}

/** A lag in ms that is too far to be told is beyond every threshold. */
export const ofLag = (
  { rule, condition: { of, above } }: JudgedRule<ConditionOf<"projection_lag">>,
  { name, state, lag, lagMs }: Pick<ProjectionStanding, "name" | "state" | "lag" | "lagMs">
): Finding => {
  const value = of === "ms" ? lagMs : lag.atMost
  const far = value === undefined ? "too far to tell" : of === "ms" ? seconds(value) : `${value} events`
  return {
    rule,
    subject: name,
    isMet: value === undefined || value > above,
    value: value === undefined ? null : Math.round(value),
    threshold: above,
    since: new Date(Date.now() - (lagMs ?? 0)),
    summary: `${name} is ${state === "stopped" ? "stopped, and " : ""}behind the log: ${far}`
  }
}
