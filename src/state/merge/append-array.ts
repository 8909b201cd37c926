import { identityOf } from "./identity.ts"
import type { Arrays } from "./merging.ts"
import { isObject, isSame, isUnresolved, type Virtual } from "./virtual.ts"

/** The field by which appended elements are known. */
export const ID = "id"

/** What a side has beside the base, in order; undefined where it has removed any of that. */
const addedTo = (
  base: ReadonlyArray<Virtual>,
  side: ReadonlyArray<Virtual>
): ReadonlyArray<Virtual> | undefined => {
  const left = new Map<string | symbol, number>()
  for (const element of base) left.set(identityOf(element), (left.get(identityOf(element)) ?? 0) + 1)
  let missing = base.length
  const added = side.filter((element) => {
    const count = left.get(identityOf(element)) ?? 0
    if (count === 0) return true
    left.set(identityOf(element), count - 1)
    missing -= 1
    return false
  })
  return missing === 0 ? added : undefined
}

/** Elements are the same by their `id`, where they are objects that have one which is not null; otherwise by their value. */
const nameOf = (element: Virtual): string | symbol => {
  const id = isObject(element) && Object.hasOwn(element, ID) ? element[ID]! : null
  if (id === null || isUnresolved(id)) return identityOf(element)
  const identity = identityOf(id)
  return typeof identity === "symbol" ? identity : `${ID} ${identity}`
}

/**
 * Puts what theirs added behind all that ours has. An element of theirs that ours added as well is left out, as often as ours has it.
 * What a side has merged before may stand before the base's own, or these in another order, so what is added is told by what there
 * is, wherever it stands: else three who append could not go on after two of them have met. Why not, in words, where a side has
 * removed something, or both added different elements of one `id`.
 */
export const mergeAppended = ({ base, ours, theirs }: Arrays): ReadonlyArray<Virtual> | string => {
  const oursAdded = addedTo(base, ours)
  if (oursAdded === undefined) return "ours did not only append"
  const theirsAdded = addedTo(base, theirs)
  if (theirsAdded === undefined) return "theirs did not only append"
  const appended = new Map<string | symbol, Array<Virtual>>()
  for (const element of oursAdded) {
    const name = nameOf(element)
    const known = appended.get(name) ?? []
    known.push(element)
    appended.set(name, known)
  }
  for (const known of appended.values()) known.reverse()
  const merged = [...ours]
  for (const element of theirsAdded) {
    const name = nameOf(element)
    const same = appended.get(name)?.pop()
    if (same === undefined) merged.push(element)
    else if (!isSame(same, element)) return `both appended different elements of the ${String(name)}`
  }
  return merged
}
