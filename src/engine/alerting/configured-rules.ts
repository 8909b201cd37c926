import { isDeepStrictEqual } from "node:util"
import { Effect, Layer, Result, Schedule, Schema } from "effect"
import { type AlertRule, setRule } from "../../../projections/alert-rules/operations.ts"
import { warningOnce } from "../../base/warn-once.ts"
import { ReadModels } from "../read-models.ts"

/** A rule of alerts as settings say it: as `alerts.setRule` takes it, but for who sets it and why. */
export type ConfiguredRule = Omit<(typeof setRule.input)["Encoded"], "by" | "reason">

const Rules = Schema.Array(setRule.input)

const decode = Schema.decodeUnknownResult(Rules)

/** Why a value is no list of rules, or undefined. */
export const rulesProblem = (value: unknown): string | undefined => {
  const decoded = decode(value)
  if (Result.isFailure(decoded))
    return `is no list of rules as alerts.setRule takes them: ${decoded.failure.message}`
  const names = decoded.success.map(({ rule }) => rule)
  const twice = names.find((name, at) => names.indexOf(name) !== at)
  return twice === undefined ? undefined : `has two rules ${JSON.stringify(twice)}: keep one of them`
}

/** Who set them, as events have it. */
const BY = { by: "configuration", reason: "the settings of an engine say so" }

/** How often it is tried again, in ms, where the server or a role does not let it. */
const AGAIN_MS = 30_000

type Wanted = (typeof Rules)["Type"][number]

const isAsWanted = (rule: AlertRule, { when, severity, isEnabled, description }: Wanted): boolean =>
  isDeepStrictEqual(rule.when, when) &&
  rule.severity === (severity ?? "WARNING") &&
  rule.isEnabled === (isEnabled ?? true) &&
  rule.description === (description ?? null)

const setOne = Effect.fnUntraced(function* (wanted: Wanted) {
  const { alert_rules: rules } = yield* ReadModels
  const [standing] = yield* rules.rules({ rule: wanted.rule })
  if (standing === undefined || !isAsWanted(standing, wanted)) yield* rules.setRule({ ...wanted, ...BY })
})

/** Sets the rules that settings say, each where it is not there, or is another one. */
export const configuredRules = (
  rules: ReadonlyArray<ConfiguredRule>
): Layer.Layer<never, never, ReadModels> =>
  Layer.effectDiscard(
    Effect.gen(function* () {
      const wanted = yield* Effect.orDie(Effect.fromResult(decode(rules)))
      const quietly = warningOnce("the rules of alerts that settings say cannot be set now")
      const once = quietly(Effect.forEach(wanted, setOne, { discard: true }))
      const untilSet = Effect.repeat(once, { until: (isDone) => isDone, schedule: Schedule.spaced(AGAIN_MS) })
      yield* Effect.forkScoped(untilSet)
    })
  )
