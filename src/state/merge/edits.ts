import {
  isJsonArray,
  isJsonObject,
  type Json,
  type JsonObject,
  type MaybeJson,
  valueAt
} from "../../base/json-value.ts"
import type { Path } from "../../base/pointer.ts"
import type { Gap } from "./conflict.ts"
import { elementName, keyOfName } from "./identity.ts"

interface Put {
  readonly value: MaybeJson
  /** Where in an array an element is put that is not there yet; by itself it comes last. */
  readonly gap: Gap | undefined
}

interface Place {
  put: Put | undefined
  readonly below: Map<string, Place>
}

const INDEX = /^(?:0|[1-9]\d*)$/

/** Where the elements are that parts of paths name, by their key or by their index. */
const indexesOf = (array: ReadonlyArray<Json>, parts: Iterable<string>): ReadonlyMap<string, number> => {
  const indexes = new Map<string, number>()
  const keys = new Set<string>()
  for (const part of parts) {
    const key = keyOfName(part)
    if (key !== undefined) keys.add(JSON.stringify(key))
    else if (INDEX.test(part) && Number(part) < array.length) indexes.set(part, Number(part))
  }
  for (const key of keys) {
    for (const [index, element] of array.entries()) {
      const name = elementName(element, JSON.parse(key) as ReadonlyArray<string>)
      if (name !== undefined) indexes.set(name, index)
    }
  }
  return indexes
}

/** What a path as that of a conflict leads to; undefined where that is nothing. */
export const lookUp = (value: MaybeJson, path: Path): MaybeJson => {
  let at = value
  for (const part of path) {
    if (isJsonArray(at)) at = at[indexesOf(at, [part]).get(part) ?? -1]
    else at = isJsonObject(at) ? valueAt(at, part) : undefined
  }
  return at
}

/** Changes at paths as those of conflicts, made in one pass, so that many of them in one object copy it once. */
export class Edits {
  private readonly root: Place = { put: undefined, below: new Map() }

  /** Puts a value at a path, or with undefined deletes what is there. What is put below it is put into the value. */
  put(path: Path, value: MaybeJson, gap?: Gap): void {
    let place = this.root
    for (const part of path) {
      const next = place.below.get(part) ?? { put: undefined, below: new Map<string, Place>() }
      place.below.set(part, next)
      place = next
    }
    place.put = { value, gap }
  }

  /** @throws {RangeError} where something is to be put below what is neither an object nor an array. */
  appliedTo(value: MaybeJson): MaybeJson {
    return applied(value, this.root)
  }
}

const applied = (value: MaybeJson, { put, below }: Place): MaybeJson => {
  const at = put === undefined ? value : put.value
  if (below.size === 0) return at
  if (isJsonArray(at)) return appliedToArray(at, below)
  if (isJsonObject(at)) return appliedToObject(at, below)
  if (at === undefined) return appliedToNothing(below)
  throw new RangeError(`Nothing can be put at ${[...below.keys()].join(", ")} of ${JSON.stringify(at)}`)
}

/** An object comes to be where something is put into it. */
const appliedToNothing = (below: ReadonlyMap<string, Place>): MaybeJson => {
  const object = appliedToObject({}, below)
  return Object.keys(object).length === 0 ? undefined : object
}

const appliedToObject = (object: JsonObject, below: ReadonlyMap<string, Place>): JsonObject => {
  const entries = new Map(Object.entries(object))
  for (const [key, place] of below) {
    const value = applied(valueAt(object, key), place)
    if (value === undefined) entries.delete(key)
    else entries.set(key, value)
  }
  return Object.fromEntries(entries)
}

/** What is deleted keeps its index until all is in its place. */
const appliedToArray = (array: ReadonlyArray<Json>, below: ReadonlyMap<string, Place>): MaybeJson => {
  const indexes = indexesOf(array, below.keys())
  const elements: Array<MaybeJson> = [...array]
  const added: Array<Added> = []
  for (const [part, place] of below) {
    const index = indexes.get(part)
    const value = applied(index === undefined ? undefined : array[index], place)
    if (index !== undefined) elements[index] = value
    else if (value !== undefined)
      added.push({ value, gap: place.put?.gap ?? { index: array.length, rank: 0 } })
  }
  return withAdded(elements, added).filter((element) => element !== undefined)
}

interface Added {
  readonly value: Json
  readonly gap: Gap
}

const withAdded = (
  array: ReadonlyArray<MaybeJson>,
  added: ReadonlyArray<Added>
): ReadonlyArray<MaybeJson> => {
  const merged: Array<MaybeJson> = []
  let taken = 0
  const takeTo = (index: number): void => {
    for (; taken < Math.min(index, array.length); taken += 1) merged.push(array[taken])
  }
  const inOrder = added.toSorted(
    (one, other) => one.gap.index - other.gap.index || one.gap.rank - other.gap.rank
  )
  for (const { value, gap } of inOrder) {
    takeTo(gap.index)
    merged.push(value)
  }
  takeTo(array.length)
  return merged
}
