import { diff } from "../../base/diff.ts"
import { type Json, type JsonObject, isJsonObject, type MaybeJson, valueAt } from "../../base/json-value.ts"
import { applyPatch } from "../../base/patch.ts"
import type { PatchOperation } from "../../base/patch-operation.ts"
import { formatPointer, parsePointer } from "../../base/pointer.ts"
import { documentOf, isTier, keyId, type KeyId, keyOfPath, keyProblem, placeOfKey } from "../tier.ts"

/** A patch of a log that cannot be one of ours. */
export class ForeignPatch extends Error {
  override readonly name = "ForeignPatch"
}

/** The keys that the operations of a recorded patch read or write. Throws ForeignPatch where one is not below a key. */
export const keysOfPatch = (patch: ReadonlyArray<unknown>): ReadonlySet<KeyId> => {
  const keys = new Set<KeyId>()
  for (const operation of patch) {
    for (const pointer of pointersOf(operation)) {
      const key = keyOfPath(parsePointer(pointer as string) ?? [])
      if (key === undefined) throw new ForeignPatch(`an operation leads to ${JSON.stringify(pointer)}`)
      const problem = keyProblem(placeOfKey(key).key)
      if (problem !== undefined) throw new ForeignPatch(problem)
      keys.add(key)
    }
  }
  return keys
}

const pointersOf = (operation: unknown): ReadonlyArray<unknown> => {
  if (!isJsonObject(operation)) throw new ForeignPatch("an operation is not an object")
  const { path, from } = operation
  return from === undefined ? [path] : [path, from]
}

/** The values of its keys after a recorded patch. Throws ForeignPatch, or PatchFailed where it cannot be applied to these. */
export const afterPatch = (
  patch: ReadonlyArray<unknown>,
  valueOf: (key: KeyId) => MaybeJson
): ReadonlyMap<KeyId, MaybeJson> => {
  const keys = [...keysOfPatch(patch)]
  const before = documentOf(keys.map((key) => [key, valueOf(key)] as const))
  const after = applyPatch(before, patch as ReadonlyArray<PatchOperation>) as JsonObject
  return new Map(keys.map((key) => [key, valueIn(after, key)]))
}

/** What a document of tiers holds under a key. */
export const valueIn = (document: Json, key: KeyId): MaybeJson => {
  const { tier, key: name } = placeOfKey(key)
  const values = isJsonObject(document) ? valueAt(document, tier) : undefined
  return isJsonObject(values) ? valueAt(values, name) : undefined
}

/** All keys of a document of tiers. */
export const keysIn = (document: Json): ReadonlyArray<KeyId> =>
  isJsonObject(document)
    ? Object.entries(document).flatMap(([tier, values]) =>
        isTier(tier) && isJsonObject(values) ? Object.keys(values).map((key) => keyId(tier, key)) : []
      )
    : []

/** The operations that make one value of a key another; none of them leads to anything above that key. */
export const patchOfKey = (
  key: KeyId,
  before: MaybeJson,
  after: MaybeJson
): ReadonlyArray<PatchOperation> => {
  const { tier, key: name } = placeOfKey(key)
  const place = [tier, name]
  if (before !== undefined && after !== undefined) return diff(before, after, place)
  const path = formatPointer(place)
  if (after !== undefined) return [{ op: "add", path, value: after }]
  return before === undefined ? [] : [{ op: "remove", path }]
}
