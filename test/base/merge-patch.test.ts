import fc from "fast-check"
import { describe, expect, test } from "vitest"
import { isJsonObject, isSameJson, type Json, type JsonObject } from "../../src/base/json-value.ts"
import { mergePatch } from "../../src/base/merge-patch.ts"
import { json } from "./patches.ts"

/** RFC 7396, appendix A: original, patch, result. */
const vectors: ReadonlyArray<readonly [Json, Json, Json]> = [
  [{ a: "b" }, { a: "c" }, { a: "c" }],
  [{ a: "b" }, { b: "c" }, { a: "b", b: "c" }],
  [{ a: "b" }, { a: null }, {}],
  [{ a: "b", b: "c" }, { a: null }, { b: "c" }],
  [{ a: ["b"] }, { a: "c" }, { a: "c" }],
  [{ a: "c" }, { a: ["b"] }, { a: ["b"] }],
  [{ a: { b: "c" } }, { a: { b: "d", c: null } }, { a: { b: "d" } }],
  [{ a: [{ b: "c" }] }, { a: [1] }, { a: [1] }],
  [
    ["a", "b"],
    ["c", "d"],
    ["c", "d"]
  ],
  [{ a: "b" }, ["c"], ["c"]],
  [{ a: "foo" }, null, null],
  [{ a: "foo" }, "bar", "bar"],
  [{ e: null }, { a: 1 }, { e: null, a: 1 }],
  [[1, 2], { a: "b", c: null }, { a: "b" }],
  [{}, { a: { bb: { ccc: null } } }, { a: { bb: {} } }]
]

/** The pseudo-code of RFC 7396, section 2, on copies. */
const asTheRfcSays = (target: Json | undefined, patch: Json): Json => {
  if (!isJsonObject(patch)) return patch
  const result = new Map(isJsonObject(target) ? Object.entries(target) : [])
  for (const [name, value] of Object.entries(patch))
    if (value === null) result.delete(name)
    else result.set(name, asTheRfcSays(result.get(name), value))
  return Object.fromEntries(result)
}

describe("a merge patch", () => {
  test.each(vectors)("of %j by %j gives %j", (original, patch, result) => {
    expect(mergePatch(original, patch)).toEqual(result)
  })

  test("does what the RFC says, and changes neither the target nor itself", () => {
    fc.assert(
      fc.property(json, json, (target, patch) => {
        const before = JSON.stringify([target, patch])
        expect(mergePatch(target, patch)).toEqual(asTheRfcSays(target, patch))
        expect(JSON.stringify([target, patch])).toBe(before)
      }),
      { numRuns: 1_000 }
    )
  })

  test("applied twice does nothing more, and gives the very same value", () => {
    fc.assert(
      fc.property(json, json, (target, patch) => {
        const once = mergePatch(target, patch)
        expect(mergePatch(once, patch)).toBe(once)
      })
    )
  })

  test("of what is absent makes a value without null, but for those in arrays", () => {
    expect(mergePatch(undefined, { a: { b: null, c: [null] }, d: null })).toEqual({ a: { c: [null] } })
    expect(mergePatch(undefined, null)).toBeNull()
    expect(mergePatch(null, {})).toEqual({})
  })

  test("shares what it does not touch", () => {
    const target = { in: { a: 1 }, out: { deep: [1] } }
    const list = [2]
    const result = mergePatch(target, { in: { a: 2, list } }) as typeof target & {
      readonly in: { readonly list: Json }
    }
    expect(result).toEqual({ in: { a: 2, list: [2] }, out: { deep: [1] } })
    expect(result.out).toBe(target.out)
    expect(result.in.list).toBe(list)
    expect(mergePatch(target, { in: { a: 1 }, none: null })).toBe(target)
  })

  test("takes a key __proto__ for a key, and finds nothing that an object inherits", () => {
    const result = mergePatch(
      { a: 1 },
      JSON.parse('{"__proto__": {"polluted": true}, "constructor": {"x": 1}}') as Json
    )
    expect(JSON.stringify(result)).toBe('{"a":1,"__proto__":{"polluted":true},"constructor":{"x":1}}')
    expect((result as JsonObject)["polluted"]).toBeUndefined()
    expect("polluted" in {}).toBe(false)
    expect(
      isSameJson(mergePatch(result, JSON.parse('{"__proto__": null}') as Json), {
        a: 1,
        constructor: { x: 1 }
      })
    ).toBe(true)
  })
})
