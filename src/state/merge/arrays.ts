import { formatPointer, type Path } from "../../base/pointer.ts"
import { ID, mergeAppended } from "./append-array.ts"
import { diff3 } from "./diff3.ts"
import { identityOf } from "./identity.ts"
import { mergeKeyed } from "./keyed-array.ts"
import type { Arrays, Merging } from "./merging.ts"
import type { ArrayStrategy } from "./rule.ts"
import { mergeSets } from "./set-array.ts"
import type { Virtual } from "./virtual.ts"

/**
 * Merges arrays that both sides changed by the strategy of their path. Undefined where the array conflicts as a whole:
 * always where it is atomic, and where the strategy cannot be followed; a note says why.
 */
export const mergeArrays = (
  strategy: ArrayStrategy,
  path: Path,
  arrays: Arrays,
  merging: Merging
): ReadonlyArray<Virtual> | undefined => {
  if (strategy === "atomic") return undefined
  if (strategy === "set") return mergeSets(arrays)
  if (strategy === "sequence") return diff3(arrays.base, arrays.ours, arrays.theirs, identityOf)
  if (strategy === "append") return appended(path, arrays, merging)
  const merged = mergeKeyed(strategy.keyed, path, arrays, merging)
  if (typeof merged !== "string") return merged
  merging.note({ kind: "fallback", path: formatPointer(path), from: "keyed", to: "atomic", reason: merged })
  return undefined
}

/** What cannot be appended is merged by its ids, where all elements have one. */
const appended = (path: Path, arrays: Arrays, merging: Merging): ReadonlyArray<Virtual> | undefined => {
  const merged = mergeAppended(arrays)
  if (typeof merged !== "string") return merged
  const keyed = mergeKeyed([ID], path, arrays, merging)
  const note = { kind: "fallback", path: formatPointer(path), from: "append" } as const
  if (typeof keyed !== "string") {
    merging.note({ ...note, to: "keyed", reason: merged })
    return keyed
  }
  merging.note({ ...note, to: "atomic", reason: `${merged}, and ${keyed}` })
  return undefined
}
