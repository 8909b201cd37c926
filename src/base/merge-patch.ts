import { isJsonObject, type Json, type JsonObject, type MaybeJson, valueAt } from "./json-value.ts"

/** By definition rather than by assignment, which would take `__proto__` for the prototype. */
const put = (object: JsonObject, key: string, value: Json): void => {
  Object.defineProperty(object, key, { value, configurable: true, enumerable: true, writable: true })
}

const merged = (target: JsonObject, patch: JsonObject): JsonObject => {
  let result: { [key: string]: Json } | undefined
  for (const key of Object.keys(patch)) {
    const change = patch[key]!
    const before = valueAt(target, key)
    const after = change === null ? undefined : mergePatch(before, change)
    if (after === before) continue
    result ??= { ...target }
    if (after === undefined) delete result[key]
    else put(result, key, after)
  }
  return result ?? target
}

/**
 * A value after an RFC 7396 merge patch: the patch itself where that is no object, else the target, or an empty object where it is
 * none, with the keys of the patch merged in and those taken out that the patch has null for. Neither target nor patch is changed;
 * what the patch does not touch is shared (`===`) with the result, all of it where nothing changes, and so are values of the patch.
 */
export const mergePatch = (target: MaybeJson, patch: Json): Json =>
  isJsonObject(patch) ? merged(isJsonObject(target) ? target : {}, patch) : patch
