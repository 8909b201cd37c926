import { Effect, Schema } from "effect"
import { AgentId } from "../agent-id.ts"
import { MAX_NAME_LENGTH, shortText } from "../short-text.ts"
import { Severity } from "../system-events/events.ts"

/** How far back events are counted, in ms: unless a rule says, at least, and at most, which is a week. */
const DEFAULT_WINDOW_MS = 300_000
const MIN_WINDOW_MS = 1_000
const MAX_WINDOW_MS = 604_800_000

/** For how long a metric may have to hold, in minutes: a day. */
const MAX_FOR_MINUTES = 1_440

/** More than there ever are in a window. */
const MOST_EVENTS = 1_000_000_000

/** How far a read model may be allowed to lag, in ms or in events. */
const MAX_LAG = 2 ** 53 - 1

const whole = (minimum: number, maximum: number) => Schema.Int.check(Schema.isBetween({ minimum, maximum }))

/** What a caller may leave out. */
const defaulting = <S extends Schema.Top>(schema: S, value: S["Encoded"]) =>
  Schema.withDecodingDefaultKey<S>(Effect.succeed(value))(schema)

const ofAgent = { agent: Schema.optionalKey(AgentId) }

const window = { windowMs: defaulting(whole(MIN_WINDOW_MS, MAX_WINDOW_MS), DEFAULT_WINDOW_MS) }

/** So many of them at least. */
const atLeast = { atLeast: defaulting(whole(1, MOST_EVENTS), 1) }

/**
 * A metric is above or below a threshold in each minute in which it was measured, in minutes that lie `forMinutes` apart at least; of each agent
 * by itself.
 */
const MetricCondition = Schema.Struct({
  kind: Schema.Literal("metric"),
  metric: shortText(MAX_NAME_LENGTH),
  ...ofAgent,
  of: defaulting(Schema.Literals(["avg", "min", "max", "p50", "p95", "p99"]), "avg"),
  is: defaulting(Schema.Literals(["above", "below"]), "above"),
  threshold: Schema.Finite,
  forMinutes: defaulting(whole(0, MAX_FOR_MINUTES), 0)
})

/** An agent is late or lost, or lost alone, as the watchdog says. */
const MissedBeatsCondition = Schema.Struct({
  kind: Schema.Literal("missed_beats"),
  ...ofAgent,
  from: defaulting(Schema.Literals(["late", "lost"]), "late")
})

/** So many errors, and more than a share of all system events: both from 0 to 1. */
const ErrorRateCondition = Schema.Struct({
  kind: Schema.Literal("error_rate"),
  ...ofAgent,
  above: Schema.Finite.check(Schema.isBetween({ minimum: 0, maximum: 1 })),
  ...atLeast,
  ...window
})

/** So many system events of a type, as bad as a severity or worse. */
const SystemEventCondition = Schema.Struct({
  kind: Schema.Literal("system_event"),
  type: Schema.optionalKey(shortText(MAX_NAME_LENGTH)),
  severity: defaulting(Severity, "DEBUG"),
  ...ofAgent,
  ...atLeast,
  ...window
})

/** A read model is behind the log; each by itself. */
const ProjectionLagCondition = Schema.Struct({
  kind: Schema.Literal("projection_lag"),
  projection: Schema.optionalKey(shortText(MAX_NAME_LENGTH)),
  of: defaulting(Schema.Literals(["ms", "events"]), "ms"),
  above: whole(0, MAX_LAG)
})

/** When an alert is raised. */
export const Condition = Schema.Union([
  MetricCondition,
  MissedBeatsCondition,
  ErrorRateCondition,
  SystemEventCondition,
  ProjectionLagCondition
])
export type Condition = typeof Condition.Type
export type ConditionOf<Kind extends Condition["kind"]> = Extract<Condition, { readonly kind: Kind }>

/** The same with nothing left out, as events have it. */
export const WholeCondition = Schema.toType(Condition)
