import { identityOf } from "./identity.ts"
import type { Arrays } from "./merging.ts"
import { isObject, isSame, isUnresolved, type Virtual } from "./virtual.ts"

/** The field by which appended elements are known. */
export const ID = "id"

const isPrefix = (base: ReadonlyArray<Virtual>, side: ReadonlyArray<Virtual>): boolean =>
  base.length <= side.length && base.every((element, index) => isSame(element, side[index]))

/** Elements are the same by their `id`, where they are objects that have one which is not null; otherwise by their value. */
const nameOf = (element: Virtual): string | symbol => {
  const id = isObject(element) && Object.hasOwn(element, ID) ? element[ID]! : null
  if (id === null || isUnresolved(id)) return identityOf(element)
  const identity = identityOf(id)
  return typeof identity === "symbol" ? identity : `${ID} ${identity}`
}

/**
 * Puts what both sides appended behind the base, ours first. An element of theirs that ours appended as well is left
 * out, as often as ours has it. Why not, in words, where a side did not only append, or both appended different
 * elements of one `id`.
 */
export const mergeAppended = ({ base, ours, theirs }: Arrays): ReadonlyArray<Virtual> | string => {
  if (!isPrefix(base, ours)) return "ours did not only append"
  if (!isPrefix(base, theirs)) return "theirs did not only append"
  const appended = new Map<string | symbol, Array<Virtual>>()
  for (const element of ours.slice(base.length)) {
    const name = nameOf(element)
    const known = appended.get(name) ?? []
    known.push(element)
    appended.set(name, known)
  }
  for (const known of appended.values()) known.reverse()
  const merged = [...ours]
  for (const element of theirs.slice(base.length)) {
    const name = nameOf(element)
    const same = appended.get(name)?.pop()
    if (same === undefined) merged.push(element)
    else if (!isSame(same, element)) return `both appended different elements of the ${String(name)}`
  }
  return merged
}
