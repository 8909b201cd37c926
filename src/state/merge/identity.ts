import { canonicalJson } from "../../base/canonical-json.ts"
import type { Json } from "../../base/json-value.ts"
import { holdsUnresolved, isObject, type Virtual } from "./virtual.ts"

/** What the same elements of arrays have in common, and no others; one that holds an unresolved place is like no other. */
export const identityOf = (value: Virtual): string | symbol =>
  holdsUnresolved(value) ? Symbol("like no other") : canonicalJson(value as Json)

/**
 * What names an element of a keyed array in a path: its key as canonical JSON, such as `{"id":7}`. Undefined where the
 * value is no object or lacks a field of the key. An index would not do: it shifts as elements come and go, and an
 * element that one side deleted has none there.
 */
export const elementName = (value: Virtual, key: ReadonlyArray<string>): string | undefined => {
  if (!isObject(value) || !key.every((field) => Object.hasOwn(value, field))) return undefined
  const name = Object.fromEntries(key.map((field) => [field, value[field]!]))
  return holdsUnresolved(name) ? undefined : canonicalJson(name as Json)
}

/** The fields of the key by which a part of a path names an element; undefined where it is none of a keyed array. */
export const keyOfName = (part: string): ReadonlyArray<string> | undefined => {
  if (!part.startsWith("{")) return undefined
  try {
    return Object.keys(JSON.parse(part) as object)
  } catch {
    return undefined
  }
}
