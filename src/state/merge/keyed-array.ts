import type { Path } from "../../base/pointer.ts"
import { elementName } from "./identity.ts"
import { mergedOrder } from "./keyed-order.ts"
import type { Arrays, Merging, Sides } from "./merging.ts"
import { isObject, isSame, isUnresolved, type MaybeVirtual, type Virtual } from "./virtual.ts"

/** Elements by name, in the order of their array. */
export type Named = ReadonlyMap<string, Virtual>

/** What the elements of an array are called by a key; why not, in words, where one has no name or two have the same. */
export const namedElements = (array: ReadonlyArray<Virtual>, key: ReadonlyArray<string>): Named | string => {
  const named = new Map<string, Virtual>()
  for (const [index, element] of array.entries()) {
    const name = isUnresolved(element) ? element.description : elementName(element, key)
    if (name === undefined) return `element ${index} has no ${key.join(" and ")}`
    if (named.has(name)) return `two elements have the key ${name}`
    named.set(name, element)
  }
  return named
}

/** An element with the key by which it is known: a counter in it would count twice what both sides called it by. */
const withKey = (
  element: MaybeVirtual,
  key: ReadonlyArray<string>,
  { ours, theirs }: Sides
): MaybeVirtual => {
  const side = ours ?? theirs
  if (!isObject(element) || !isObject(side)) return element
  const lost = key.filter((field) => !isSame(element[field], side[field]))
  return lost.length === 0
    ? element
    : { ...element, ...Object.fromEntries(lost.map((field) => [field, side[field]!])) }
}

/** Ours deleted what theirs changed. */
const isDeletedByOurs = ({ base, ours, theirs }: Sides): boolean =>
  ours === undefined && base !== undefined && theirs !== undefined && !isSame(base, theirs)

/**
 * Merges arrays of objects as maps from their keys. The order is no part of the map: moving elements about is no edit, and
 * never conflicts.
 *
 * The idea of lists that are maps is that of Kubernetes' structured-merge-diff (`listType=map`).
 */
export const mergeKeyed = (
  key: ReadonlyArray<string>,
  path: Path,
  arrays: Arrays,
  merging: Merging
): ReadonlyArray<Virtual> | string => {
  const [base, ours, theirs] = [arrays.base, arrays.ours, arrays.theirs].map((array) =>
    namedElements(array, key)
  ) as [Named | string, Named | string, Named | string]
  if (typeof ours === "string") return `in ours ${ours}`
  if (typeof theirs === "string") return `in theirs ${theirs}`
  if (typeof base === "string") return `in the base ${base}`

  const decided = new Map<string, MaybeVirtual>()
  const deleted = new Map<string, Sides>()
  for (const name of new Set([...ours.keys(), ...theirs.keys()])) {
    const sides = { base: base.get(name), ours: ours.get(name), theirs: theirs.get(name) }
    if (isDeletedByOurs(sides)) deleted.set(name, sides)
    else decided.set(name, withKey(merging.decide([...path, name], sides), key, sides))
  }
  const wanted = new Set([...decided.keys()].filter((name) => decided.get(name) !== undefined))
  for (const name of deleted.keys()) wanted.add(name)
  const elements: Array<MaybeVirtual> = []
  let index = 0
  for (const name of mergedOrder([...base.keys()], [...ours.keys()], [...theirs.keys()], wanted)) {
    const sides = deleted.get(name)
    const gap = { index, rank: elements.length - index }
    elements.push(
      sides === undefined ? decided.get(name) : merging.conflict([...path, name], "delete_modify", sides, gap)
    )
    if (sides === undefined) index += 1
  }
  return elements.filter((element) => element !== undefined)
}
