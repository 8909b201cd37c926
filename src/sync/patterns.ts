import { parsePointer } from "../base/pointer.ts"
import { InvalidArgument } from "../log/error.ts"
import type { Glob } from "../state/merge/glob.ts"
import { isTier, keyId, TIERS } from "../state/tier.ts"
import type { Selection } from "../state/store.ts"

/** What is looked for in a state, and the keys that it may lie in. */
export interface Patterns {
  readonly globs: ReadonlyArray<Glob>
  readonly selection: Selection
}

const isLiteral = (part: string): boolean => part !== "*" && part !== "**"

/** The tiers and the keys that what a glob matches lies in. */
const placesOf = ([tier, key]: Glob): Selection => {
  if (!isTier(tier)) return { tiers: TIERS, keys: [] }
  return key !== undefined && isLiteral(key)
    ? { tiers: [], keys: [keyId(tier, key)] }
    : { tiers: [tier], keys: [] }
}

/** What is wrong with a pattern, or undefined. */
const problemOf = (text: unknown): string | undefined => {
  const glob = typeof text === "string" ? parsePointer(text) : undefined
  const given = JSON.stringify(text) ?? String(text)
  if (glob === undefined)
    return `${given} is no pattern: give RFC 6901 pointers, in which * is any one part and ** any number of them, as "/shared/plan" or "/local/**"`
  const [tier] = glob
  return tier === undefined || !isLiteral(tier) || isTier(tier)
    ? undefined
    : `${given} begins with no tier: begin with /${TIERS.join(", /")}, or with *`
}

/** Patterns as callers write them: RFC 6901 pointers, in which `*` is any one part, and `**` any number of parts, also none. */
export const patternsOf = (texts: ReadonlyArray<string>): Patterns | InvalidArgument => {
  if (!Array.isArray(texts) || texts.length === 0)
    return new InvalidArgument({ problem: 'No path is named: give some, as ["/shared/plan"]' })
  const problem = texts.map(problemOf).find((one) => one !== undefined)
  if (problem !== undefined) return new InvalidArgument({ problem })
  const globs = texts.map((text) => parsePointer(text)!)
  const places = globs.map(placesOf)
  const tiers = TIERS.filter((tier) => places.some((place) => place.tiers.includes(tier)))
  const keys = new Set(places.flatMap((place) => place.keys))
  return {
    globs,
    selection: { tiers, keys: [...keys].filter((key) => !tiers.some((tier) => key.startsWith(`${tier}/`))) }
  }
}
