import type { Json, JsonObject } from "../../base/json-value.ts"

/**
 * Stands in a virtual merge base where the bases disagree, and equals nothing, not even itself. A symbol, so that nothing
 * takes it for JSON and no text of JSON ever shows it. Its description is the last part of its path, so that one
 * that stands for an element of a keyed array is still known by that element's key.
 */
export type Unresolved = symbol

/** JSON that may hold places where bases disagree. */
export type Virtual = Json | Unresolved | ReadonlyArray<Virtual> | VirtualObject

export interface VirtualObject {
  readonly [key: string]: Virtual
}

export type MaybeVirtual = Virtual | undefined

export const unresolved = (part: string): Unresolved => Symbol(part)

export const isUnresolved = (value: MaybeVirtual): value is Unresolved => typeof value === "symbol"

export const isArray = (value: MaybeVirtual): value is ReadonlyArray<Virtual> => Array.isArray(value)

export const isObject = (value: MaybeVirtual): value is VirtualObject | JsonObject =>
  typeof value === "object" && value !== null && !Array.isArray(value)

/** What an object holds under a key of its own. */
export const entryOf = (object: VirtualObject, key: string): MaybeVirtual =>
  Object.hasOwn(object, key) ? object[key] : undefined

/**
 * Deep equality as of JSON. An object is taken to be the same as itself without a look inside: a base and a side, or
 * two sides, never share one that holds an unresolved place, since each merge makes its own.
 */
export const isSame = (one: MaybeVirtual, other: MaybeVirtual): boolean => {
  if (isUnresolved(one)) return false
  if (one === other) return true
  if (isArray(one)) {
    return (
      isArray(other) && one.length === other.length && one.every((item, index) => isSame(item, other[index]))
    )
  }
  if (!isObject(one) || !isObject(other)) return false
  const keys = Object.keys(one)
  return (
    keys.length === Object.keys(other).length &&
    keys.every((key) => Object.hasOwn(other, key) && isSame(one[key], other[key]))
  )
}

/** Whether bases disagree anywhere in a value. */
export const holdsUnresolved = (value: MaybeVirtual): boolean => {
  if (isArray(value)) return value.some(holdsUnresolved)
  return isObject(value) ? Object.values(value).some(holdsUnresolved) : isUnresolved(value)
}

/** What JSON calls the kind of a value. */
export const kindOf = (value: MaybeVirtual): string => {
  if (value === null) return "null"
  return isArray(value) ? "array" : typeof value
}
