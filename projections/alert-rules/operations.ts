import { Effect, Schema } from "effect"
import type { Meta } from "../../src/log/event.ts"
import { NotFound, projectionError } from "../../src/projection/error.ts"
import { command, query } from "../../src/projection/operation.ts"
import { whoeverIsFaster } from "../outrun.ts"
import { Recorded, recorded } from "../recorded.ts"
import { MAX_NAME_LENGTH, shortText } from "../short-text.ts"
import { Severity } from "../system-events/events.ts"
import { Condition, WholeCondition } from "./condition.ts"
import { AlertRuleRemoved, AlertRuleSet, RuleName, ruleStream } from "./events.ts"

const READ = "alerts:read"
const WRITE = "alerts:write"

const REMOVE = "alerts.removeRule"

/** How bad an alert is whose rule does not say. */
const DEFAULT_SEVERITY: Severity = "WARNING"

const MAX_DESCRIPTION_LENGTH = 2_000

const DEFAULT_LIMIT = 100
const MAX_LIMIT = 1_000

/** Before every name. */
const BEFORE_ALL = ""

/** Who does it, and why. */
const Circumstances = {
  by: Schema.optionalKey(shortText(MAX_NAME_LENGTH)),
  reason: Schema.optionalKey(shortText(MAX_DESCRIPTION_LENGTH))
}

/** A rule as it is now. */
export const AlertRule = Schema.Struct({
  rule: Schema.String,
  /** Grows with every change of the rule. */
  version: Schema.Int,
  when: WholeCondition,
  severity: Severity,
  isEnabled: Schema.Boolean,
  description: Schema.NullOr(Schema.String),
  setBy: Schema.NullOr(Schema.String),
  reason: Schema.NullOr(Schema.String),
  createdAt: Schema.Date,
  recordedAt: Schema.Date
})
export type AlertRule = typeof AlertRule.Type

const circumstances = ({ by, reason }: { readonly by?: string; readonly reason?: string }): Meta => ({
  ...(by === undefined ? {} : { actor: by }),
  ...(reason === undefined ? {} : { reason })
})

export const setRule = command({
  name: "alerts.setRule",
  description:
    "Sets a rule as a whole, whatever it was before: when an alert is raised (a metric, missed beats, an error rate, system events, a lag of read models), and how bad that is, WARNING unless it is said. One with isEnabled false raises none.",
  scope: WRITE,
  input: Schema.Struct({
    rule: RuleName,
    when: Condition,
    severity: Schema.optionalKey(Severity),
    isEnabled: Schema.optionalKey(Schema.Boolean),
    description: Schema.optionalKey(shortText(MAX_DESCRIPTION_LENGTH)),
    ...Circumstances
  }),
  output: Recorded,
  example: {
    rule: "slow",
    when: { kind: "metric", metric: "latency", of: "p95", threshold: 500, forMinutes: 5 },
    severity: "ERROR",
    by: "operator"
  },
  run: ({ rule, by, reason, severity = DEFAULT_SEVERITY, isEnabled = true, ...said }, { emit }) =>
    Effect.map(
      emit(ruleStream(rule), AlertRuleSet.make({ ...said, severity, isEnabled }), {
        meta: circumstances({
          ...(by === undefined ? {} : { by }),
          ...(reason === undefined ? {} : { reason })
        })
      }),
      recorded
    )
})

export const removeRule = command({
  name: REMOVE,
  description: "Removes a rule; its open alerts are cleared. NotFound where there is no such rule.",
  scope: WRITE,
  input: Schema.Struct({ rule: RuleName, ...Circumstances }),
  output: Recorded,
  example: { rule: "slow", by: "operator", reason: "not used any more" },
  run: ({ rule, ...who }, context) => {
    const stream = ruleStream(rule)
    const attempt = Effect.gen(function* () {
      const [standing] = yield* context.query<{ readonly version: number; readonly exists: boolean | null }>(
        "#projections/alert-rules/standing.sql",
        [stream]
      )
      if (standing?.exists === true)
        return yield* context.emit(stream, AlertRuleRemoved.make({}), {
          expected: standing.version,
          meta: circumstances(who)
        })
      const next = "take a rule that alerts.rules gives"
      return yield* projectionError(
        new NotFound({ operation: REMOVE, thing: "alert rule", ids: [rule], next })
      )
    })
    return Effect.map(whoeverIsFaster(attempt), recorded)
  }
})

export const rules = query({
  name: "alerts.rules",
  description:
    "The rules by which alerts are raised, by name, or one of them; what comes after a name is the next page.",
  scope: READ,
  input: Schema.Struct({
    rule: Schema.optionalKey(RuleName),
    limit: Schema.optionalKey(Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: MAX_LIMIT }))),
    after: Schema.optionalKey(RuleName)
  }),
  output: Schema.Array(AlertRule),
  example: { limit: 20 },
  run: ({ rule = null, limit = DEFAULT_LIMIT, after = BEFORE_ALL }, context) =>
    context.query<AlertRule>("#projections/alert-rules/rules.sql", [rule, after, limit])
})
