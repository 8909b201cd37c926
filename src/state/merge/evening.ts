import { canonicalJson } from "../../base/canonical-json.ts"
import { isJsonObject, type Json, type MaybeJson } from "../../base/json-value.ts"
import type { Path } from "../../base/pointer.ts"
import { type Rule, Rulebook } from "./rule.ts"

/** Of these, what elements there are is what is merged; their order comes of it. */
const UNORDERED: ReadonlySet<unknown> = new Set(["set", "append"])

const isUnordered = (rulebook: Rulebook, path: Path): boolean => UNORDERED.has(rulebook.at(path).array)

/** Whether both have the same elements, each as often. */
const isRearranged = (one: ReadonlyArray<string>, other: ReadonlyArray<string>): boolean => {
  if (one.length !== other.length) return false
  const [sorted, others] = [one.toSorted(), other.toSorted()]
  return sorted.every((element, index) => element === others[index])
}

const evened = (ours: Json, theirs: Json, rulebook: Rulebook, path: Path): Json => {
  if (isJsonObject(ours) && isJsonObject(theirs)) {
    let isOther = false
    const entries = Object.entries(ours).map(([key, value]): readonly [string, Json] => {
      if (!Object.hasOwn(theirs, key)) return [key, value]
      const even = evened(value, theirs[key]!, rulebook, [...path, key])
      isOther ||= even !== value
      return [key, even]
    })
    return isOther ? Object.fromEntries(entries) : ours
  }
  if (!Array.isArray(ours) || !Array.isArray(theirs) || !isUnordered(rulebook, path)) return ours
  const [one, other] = [ours.map(canonicalJson), theirs.map(canonicalJson)]
  return isRearranged(one, other) && other.join() < one.join() ? theirs : ours
}

/**
 * Decides between two orders of what was added on both sides, by their text alone: so those who bring together the same things in another order, each
 * its own first, come to one order, whoever meets whom, and do not chase each other's round a ring. Where arrays have other elements, or are not by a
 * rule `set` or `append`, ours stays.
 */
export const evenedOut = (
  ours: MaybeJson,
  theirs: MaybeJson,
  rules: ReadonlyArray<Rule>,
  path: Path
): MaybeJson => {
  if (ours === undefined || theirs === undefined || !rules.some(({ array }) => array !== undefined))
    return ours
  return evened(ours, theirs, new Rulebook(rules), path)
}
