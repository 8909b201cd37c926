import { parsePointer } from "../../base/pointer.ts"
import type { Conflict, Merged } from "./conflict.ts"
import { type Resolution, resolve } from "./resolve.ts"
import { type Rule, Rulebook } from "./rule.ts"

/** Decides a conflict, or leaves it open. */
export type Resolver = (conflict: Conflict) => Resolution | undefined

/** What becomes of conflicts: they stay, one side wins, or a function decides. */
export type Strategy = "merge" | "source_wins" | "target_wins" | Resolver

const RESOLVERS: Readonly<Record<"merge" | "source_wins" | "target_wins", Resolver>> = {
  merge: () => undefined,
  source_wins: () => ({ use: "theirs" }),
  target_wins: () => ({ use: "ours" })
}

/** A conflict that is none any more, and what decided it. */
export interface Settled {
  readonly conflict: Conflict
  readonly resolution: Resolution
  readonly by: "rule" | "strategy"
}

/**
 * Decides conflicts by a strategy, and by the rule of their path first, where that has a strategy of its own. What was no
 * conflict stays as it was merged, whoever wins. Throws what a resolver throws.
 *
 * The meaning of both `wins` is that of git's `-X ours` and `-X theirs`, and of lakeFS' `dest-wins` and `source-wins`.
 */
export const settle = (
  merged: Merged,
  strategy: Strategy,
  rules: ReadonlyArray<Rule>
): Merged & { readonly settled: ReadonlyArray<Settled> } => {
  const rulebook = new Rulebook(rules)
  const general = typeof strategy === "function" ? strategy : RESOLVERS[strategy]
  const decided = new Map<string, Settled>()
  for (const conflict of merged.conflicts) {
    const rule = rulebook.at(parsePointer(conflict.path)!).strategy
    const resolution = rule === undefined ? general(conflict) : RESOLVERS[rule](conflict)
    if (resolution === undefined) continue
    decided.set(conflict.path, { conflict, resolution, by: rule === undefined ? "strategy" : "rule" })
  }
  const resolved = resolve(
    merged,
    new Map([...decided].map(([path, { resolution }]) => [path, resolution] as const))
  )
  const open = new Set(resolved.conflicts.map(({ path }) => path))
  const conflicts = resolved.conflicts.map((conflict) => withRule(conflict, rulebook))
  return {
    ...resolved,
    conflicts,
    settled: [...decided.values()].filter(({ conflict }) => !open.has(conflict.path))
  }
}

/** With the rule that did not fit, for whoever decides. */
const withRule = (conflict: Conflict, rulebook: Rulebook): Conflict => {
  const rule = rulebook.ruleOf(parsePointer(conflict.path)!)
  return rule === undefined ? conflict : { ...conflict, rule }
}
