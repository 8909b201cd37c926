import type { Json, MaybeJson } from "../../base/json-value.ts"
import { parsePointer } from "../../base/pointer.ts"
import type { Conflict, Merged } from "./conflict.ts"
import { Edits } from "./edits.ts"

/** What is to stand where a conflict is: what one side or the base has there, be it nothing, or a value. */
export interface Resolution {
  readonly use: "ours" | "theirs" | "base" | { readonly value: Json }
}

/** Undefined where the base is to be used and is not known. */
const chosen = (conflict: Conflict, { use }: Resolution): { readonly value: MaybeJson } | undefined => {
  if (typeof use === "object") return use
  if (use === "base" && conflict.baseUnknown === true) return undefined
  return { value: conflict[use] }
}

/**
 * Resolves conflicts by their path. To use the side that deleted deletes. What stays open stays a conflict: those without a
 * resolution, and those that are to use a base on which the bases disagree. A resolution for any other path does nothing.
 */
export const resolve = (merged: Merged, resolutions: ReadonlyMap<string, Resolution>): Merged => {
  const edits = new Edits()
  const conflicts = merged.conflicts.filter((conflict) => {
    const resolution = resolutions.get(conflict.path)
    const choice = resolution && chosen(conflict, resolution)
    if (choice === undefined) return true
    edits.put(parsePointer(conflict.path)!.slice(merged.path.length), choice.value, conflict.gap)
    return false
  })
  if (conflicts.length === merged.conflicts.length) return merged
  return { ...merged, value: edits.appliedTo(merged.value), conflicts }
}
