import { formatPointer, type Path } from "../../base/pointer.ts"
import { entryOf, isObject, isSame, type MaybeVirtual } from "./virtual.ts"

/** Where a value differs from its base, as pointers: key by key through objects, and as a whole in anything else. */
export const changedPaths = (path: Path, base: MaybeVirtual, value: MaybeVirtual): ReadonlyArray<string> => {
  const found: Array<string> = []
  const look = (at: Path, before: MaybeVirtual, after: MaybeVirtual): void => {
    if (isObject(before) && isObject(after)) {
      for (const key of new Set([...Object.keys(before), ...Object.keys(after)])) {
        look([...at, key], entryOf(before, key), entryOf(after, key))
      }
    } else if (!isSame(before, after)) found.push(formatPointer(at))
  }
  look(path, base, value)
  return found.toSorted()
}
