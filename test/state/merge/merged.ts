import { expect } from "vitest"
import type { Json, MaybeJson } from "../../../src/base/json-value.ts"
import type { Merged } from "../../../src/state/merge/conflict.ts"
import { merge3 } from "../../../src/state/merge/merge.ts"
import type { Rule, Settings } from "../../../src/state/merge/rule.ts"
import type { MaybeVirtual } from "../../../src/state/merge/virtual.ts"

export const ABSENT = undefined

/** Merges one key of a state, `/shared/at`, by one rule for it, or by rules. */
export const mergeAt = (
  base: MaybeVirtual,
  ours: MaybeJson,
  theirs: MaybeJson,
  rules: Settings | ReadonlyArray<Rule> = {}
): Merged =>
  merge3({
    base,
    ours,
    theirs,
    path: ["shared", "at"],
    rules: isList(rules) ? rules : [{ path: "/shared/at", ...rules }]
  })

const isList = (rules: Settings | ReadonlyArray<Rule>): rules is ReadonlyArray<Rule> => Array.isArray(rules)

/** Merges whole states. */
export const mergeStates = (
  base: MaybeVirtual,
  ours: Json,
  theirs: Json,
  rules: ReadonlyArray<Rule> = []
): Merged => merge3({ base, ours, theirs, path: [], rules })

/** A merge that came to this value without a conflict or a note. */
export const clean = (value: MaybeJson): unknown => ({
  path: expect.any(Array),
  value,
  conflicts: [],
  notes: []
})

/** What conflicts, as `kind path`. */
export const kinds = ({ conflicts }: Merged): ReadonlyArray<string> =>
  conflicts.map(({ kind, path }) => `${kind} ${path}`)
