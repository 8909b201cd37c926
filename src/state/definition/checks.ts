import { Result, Schema } from "effect"
import { clause } from "../../base/clause.ts"
import type { MaybeJson } from "../../base/json-value.ts"
import { documentOf, type KeyId, type Tier } from "../tier.ts"

/** What a tier has to be, by tier. */
export type TierSchemas = { readonly [T in Tier]?: Schema.Codec<unknown, unknown> }

/** What is wrong with a tier, where anything is. */
export type Check = (value: unknown) => string | undefined

export const checksOf = (tiers: TierSchemas): Partial<Record<Tier, Check>> =>
  Object.fromEntries(
    Object.entries(tiers).map(([tier, schema]) => {
      const decode = Schema.decodeUnknownResult(schema)
      const check: Check = (value) => {
        const result = decode(value)
        return Result.isFailure(result) ? result.failure.message : undefined
      }
      return [tier, check]
    })
  )

/** Why a template is none of these tiers. One that it leaves out is up to whoever writes the state first. */
export const templateProblem = (
  template: object,
  values: ReadonlyMap<KeyId, MaybeJson>,
  checks: Partial<Record<Tier, Check>>
): string | undefined => {
  const document = documentOf(values)
  for (const tier of Object.keys(template) as ReadonlyArray<Tier>) {
    const problem = checks[tier]?.(document[tier])
    if (problem !== undefined)
      return `The ${tier} tier of the template is not what its schema declares: ${clause(problem)}. Nothing was defined; mend the template, or the schema`
  }
  return undefined
}
