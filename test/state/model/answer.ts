import type { Conflict } from "../../../src/state/merge/conflict.ts"
import type { Merged } from "../../../src/state/merge/conflict.ts"
import type { Rule } from "../../../src/state/merge/rule.ts"
import { settle, type Strategy } from "../../../src/state/merge/settle.ts"
import { isSame, type Key, type Value } from "./document.ts"

/** What a step comes to. */
export type Answer =
  | { readonly tag: "done"; readonly version?: number; readonly changed?: ReadonlyArray<string> }
  | {
      readonly tag: "merge"
      readonly status: string
      readonly version: number
      readonly conflicts: ReadonlyArray<Conflict>
    }
  | { readonly tag: "refused"; readonly why: string; readonly paths?: ReadonlyArray<string> }

export const DONE: Answer = { tag: "done" }

export const refused = (why: string, conflicts?: ReadonlyArray<Conflict>): Answer =>
  conflicts === undefined
    ? { tag: "refused", why }
    : { tag: "refused", why, paths: conflicts.map(({ path }) => path).toSorted() }

export const isSameConflict = (one: Conflict, other: Conflict): boolean =>
  one.path === other.path &&
  one.kind === other.kind &&
  (["base", "ours", "theirs"] as const).every((side) => isSame(one[side], other[side]))

export type MergedKeys = ReadonlyArray<readonly [Key, Merged]>

export interface SettledKeys {
  readonly values: ReadonlyArray<readonly [Key, Value | undefined]>
  readonly conflicts: ReadonlyArray<Conflict>
}

/** What a strategy makes of merged keys. */
export const settledKeys = (
  merged: MergedKeys,
  strategy: Strategy,
  rules: ReadonlyArray<Rule>
): SettledKeys => {
  const settled = merged.map(([key, one]) => [key, settle(one, strategy, rules)] as const)
  return {
    values: settled.map(([key, one]) => [key, one.value as Value | undefined]),
    conflicts: settled.flatMap(([, one]) => one.conflicts)
  }
}
