import { parsePointer } from "../base/pointer.ts"
import { InvalidArgument } from "../log/error.ts"
import { type Glob, matches } from "../state/merge/glob.ts"
import { isTier, keyId, TIERS } from "../state/tier.ts"
import type { Selection } from "../state/store.ts"

/** What is needed of a state to find what is looked for. */
export interface Sought {
  /** The keys that it may lie in. */
  readonly selection: Selection
  /** Some pattern names a whole tier, or the whole state. */
  readonly isWide: boolean
}

/** What is looked for in a state. */
export interface Patterns extends Sought {
  /** The same for the same patterns. */
  readonly id: string
  readonly globs: ReadonlyArray<Glob>
}

const isWholeTier = (glob: Glob): boolean =>
  glob.at(-1) !== "**" && [[], ...TIERS.map((tier) => [tier])].some((path) => matches(glob, path))

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
    id: JSON.stringify(texts),
    globs,
    isWide: globs.some(isWholeTier),
    selection: { tiers, keys: [...keys].filter((key) => !tiers.some((tier) => key.startsWith(`${tier}/`))) }
  }
}
