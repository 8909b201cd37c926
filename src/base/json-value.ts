/** A JSON value as it is read: it is never changed in place. */
export type Json = null | boolean | number | string | ReadonlyArray<Json> | JsonObject

export interface JsonObject {
  readonly [key: string]: Json
}

/** A value, or none: what is absent is not null. */
export type MaybeJson = Json | undefined

export const isJsonArray = (value: unknown): value is ReadonlyArray<Json> => Array.isArray(value)

export const isJsonObject = (value: unknown): value is JsonObject =>
  typeof value === "object" && value !== null && !Array.isArray(value)

/** Whether an object has a key of its own: `constructor` is none of an empty object. */
export const hasKey = (object: JsonObject, key: string): boolean => Object.hasOwn(object, key)

/** What an object holds under a key of its own. */
export const valueAt = (object: JsonObject, key: string): MaybeJson =>
  hasKey(object, key) ? object[key] : undefined

/** Deep equality: the order of keys does not matter, and numbers are compared by value, so that 0 and -0 are equal. */
export const isSameJson = (one: MaybeJson, other: MaybeJson): boolean => {
  if (one === other) return true
  if (isJsonArray(one)) {
    return (
      isJsonArray(other) &&
      one.length === other.length &&
      one.every((item, index) => isSameJson(item, other[index]))
    )
  }
  if (!isJsonObject(one) || !isJsonObject(other)) return false
  const keys = Object.keys(one)
  return (
    keys.length === Object.keys(other).length &&
    keys.every((key) => hasKey(other, key) && isSameJson(one[key], other[key]))
  )
}
