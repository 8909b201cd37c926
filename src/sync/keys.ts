import { parsePointer } from "../base/pointer.ts"
import { InvalidArgument } from "../log/error.ts"
import type { Selection } from "../state/store.ts"
import { isTier, type Tier, TIERS } from "../state/tier.ts"
import { patternsOf } from "./patterns.ts"

/** What agents have in common, unless more is asked for: `local` is an agent's own, and `session` ends with its session. */
export const SHARED_TIERS: ReadonlyArray<Tier> = ["shared", "persistent"]

const problemOf = (text: string, tiers: ReadonlyArray<Tier>): string | undefined => {
  const [tier, key, ...rest] = parsePointer(text)!
  const given = JSON.stringify(text)
  if (!isTier(tier)) return `${given} names no tier: begin with one of /${tiers.join(", /")}`
  if (!tiers.includes(tier))
    return `${given} is of the tier ${tier}, which agents do not share: leave it out, or name that tier in "tiers", too`
  if (key === undefined) return `${given} names a whole tier: give /${tier}/** for all of its keys`
  if (key === "**" && rest.length > 0)
    return `${given} leads into keys, which are synchronised as a whole: give /${tier}/**`
  return rest.length === 0
    ? undefined
    : `${given} leads into a key, and keys are synchronised as a whole: give ${JSON.stringify(`/${tier}/${key}`)}, with rules for what lies in it`
}

/** The keys that patterns name: `/shared/plan`, or all of a tier, `/shared/**`. */
export const keysOf = (
  texts: ReadonlyArray<string>,
  tiers: ReadonlyArray<Tier> = SHARED_TIERS
): Selection | InvalidArgument => {
  if (!Array.isArray(tiers))
    return new InvalidArgument({ problem: 'No tiers are named: give some, as ["shared"]' })
  const wrong = tiers.find((tier) => !isTier(tier))
  if (wrong !== undefined)
    return new InvalidArgument({
      problem: `There is no tier ${JSON.stringify(wrong)}: name some of ${TIERS.join(", ")}`
    })

  const patterns = patternsOf(texts)
  if (patterns instanceof InvalidArgument) return patterns
  const problem = texts.map((text) => problemOf(text, tiers)).find((one) => one !== undefined)
  return problem === undefined ? patterns.selection : new InvalidArgument({ problem })
}
