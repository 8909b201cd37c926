import type { MaybeJson } from "../../base/json-value.ts"
import type { Path } from "../../base/pointer.ts"
import type { Merged } from "./conflict.ts"
import { Decision } from "./decision.ts"
import type { Sides } from "./merging.ts"
import { withMoves } from "./move.ts"
import { Report } from "./report.ts"
import { type Rule, Rulebook } from "./rule.ts"
import { type MaybeVirtual, unresolved } from "./virtual.ts"

/** What is merged: the source into the target, since their base. */
export interface Merge3 {
  /** What `valueOfPlan` made of the merge bases, or a plain value. */
  readonly base: MaybeVirtual
  /** The target's. */
  readonly ours: MaybeJson
  /** The source's. */
  readonly theirs: MaybeJson
  /** Where in the state the values are; the first part is the tier. */
  readonly path: Path
  readonly rules: ReadonlyArray<Rule>
}

/**
 * Merges two values that came from one base. Absent is not null; objects are merged key by key, everything else as the
 * rule of its path says, and as a whole where there is none. Where the sides cannot be brought together there is a
 * conflict, and ours in its place. The value is ours itself where nothing of it changes. Expects JSON that the log takes.
 *
 * Swapping the sides swaps what the conflicts say and nothing else, but for the order of arrays that have a strategy.
 *
 * @throws {TypeError} where the path of a rule is malformed; `rulesProblem` finds that beforehand.
 */
export const merge3 = ({ path, rules, ...sides }: Merge3): Merged => {
  const rulebook = new Rulebook(rules)
  const report = new Report()
  const value = new Decision(rulebook, report).decide(path, sides) as MaybeJson
  return withMoves(rulebook, { path, value, conflicts: report.conflicts, notes: report.notes }, sides)
}

/** Merges two merge bases into a virtual one: where they conflict there is an unresolved place. */
export const virtualMerge = (path: Path, rules: ReadonlyArray<Rule>, sides: Sides): MaybeVirtual =>
  new Decision(new Rulebook(rules), {
    conflict: (at) => unresolved(at.at(-1) ?? ""),
    note: () => {}
  }).decide(path, sides)
