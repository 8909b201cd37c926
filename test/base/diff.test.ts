import fc from "fast-check"
import { describe, expect, test } from "vitest"
import { diff } from "../../src/base/diff.ts"
import { MAX_DEPTH } from "../../src/base/json.ts"
import { isSameJson, type Json } from "../../src/base/json-value.ts"
import { applyPatch } from "../../src/base/patch.ts"
import { formatPointer } from "../../src/base/pointer.ts"
import { AWKWARD_KEYS, json, patched } from "./patches.ts"

const BIG = 100_000

const numbers = (count: number): ReadonlyArray<number> => Array.from({ length: count }, (_, n) => n)

const textLength = (value: unknown): number => JSON.stringify(value).length

/** A value, and another one that has much in common with it. */
const related: fc.Arbitrary<readonly [Json, Json]> = fc.oneof(
  fc.tuple(json, json),
  patched(4).map(({ document, patch }) => {
    let after = document
    for (const operation of patch) {
      try {
        after = applyPatch(after, [operation])
      } catch {
        // As it was.
      }
    }
    // Nothing is shared, as of two texts that were parsed.
    return [document, structuredClone(after)] as const
  })
)

describe("a difference", () => {
  test("makes the one value the other", () => {
    fc.assert(
      fc.property(related, ([before, after]) => {
        expect(applyPatch(before, diff(before, after))).toEqual(after)
      }),
      { numRuns: 3_000 }
    )
  })

  test("is empty exactly where both are the same", () => {
    fc.assert(
      fc.property(related, ([before, after]) => {
        expect(diff(before, after).length === 0).toBe(isSameJson(before, after))
        expect(diff(before, structuredClone(before))).toEqual([])
      }),
      { numRuns: 1_000 }
    )
  })

  test("has never a longer text than to replace the whole", () => {
    fc.assert(
      fc.property(related, ([before, after]) => {
        const operations = diff(before, after)
        const whole = [{ op: "replace", path: "", value: after }]
        if (operations.length > 0) expect(textLength(operations)).toBeLessThanOrEqual(textLength(whole))
      }),
      { numRuns: 1_000 }
    )
  })

  test("holds for the document that the values are in, at their path", () => {
    const path = ["a/b", "0", "~"]
    fc.assert(
      fc.property(related, ([before, after]) => {
        const around = (value: Json) => ({ "a/b": [{ "~": value }] })
        const operations = diff(before, after, path)
        expect(applyPatch(around(before), operations)).toEqual(around(after))
        for (const operation of operations) expect(operation.path.startsWith(formatPointer(path))).toBe(true)
      })
    )
  })

  test.each(AWKWARD_KEYS)("finds its way through the key %j", (key) => {
    const object = (value: Json) => ({ [key]: value, other: "a text that is too long for writing it again" })
    expect(applyPatch(object(1), diff(object(1), object(2)))).toEqual(object(2))
    expect(applyPatch({ a: 1 }, diff({ a: 1 }, object(1)))).toEqual(object(1))
    expect(applyPatch(object([1]), diff(object([1]), { other: 1 }))).toEqual({ other: 1 })
  })

  test("replaces objects with a key __proto__, through which no patch leads", () => {
    const before = JSON.parse('{"in": {"__proto__": 1, "a": 1}, "b": 1}') as Json
    const after = JSON.parse('{"in": {"__proto__": 2, "a": 1}, "b": 1}') as { readonly in: Json }
    expect(diff(before, after)).toEqual([{ op: "replace", path: "/in", value: after.in }])
    expect(diff(before, structuredClone(before))).toEqual([])
  })
})

describe("the operations", () => {
  const object = { keep: { deep: ["a text of some length, that nobody would want to write twice"] } }

  test("go key by key, as deep as the difference lies", () => {
    const before = { ...object, gone: 1, in: { a: 1, b: 2, text: "which is not in the patch" } }
    const after = { ...object, in: { a: 1, b: 3, text: "which is not in the patch" }, come: [] }
    expect(diff(before, after)).toEqual([
      { op: "remove", path: "/gone" },
      { op: "replace", path: "/in/b", value: 3 },
      { op: "add", path: "/come", value: [] }
    ])
  })

  test("append to an array by its index, also where the last item is there twice", () => {
    const list = ["an item of some length", "another item of some length", "x"]
    expect(diff(list, [...list, "x", "y"])).toEqual([
      { op: "add", path: "/3", value: "x" },
      { op: "add", path: "/4", value: "y" }
    ])
    expect(diff(list, [...list, "x"])).toEqual([{ op: "add", path: "/3", value: "x" }])
  })

  test("take items out of an array and put them into it, wherever", () => {
    const list = ["an item of some length", "b", "c", "d", "another item of some length"]
    expect(diff(list, list.toSpliced(1, 2))).toEqual([
      { op: "remove", path: "/2" },
      { op: "remove", path: "/1" }
    ])
    expect(diff(list, list.slice(1))).toEqual([{ op: "remove", path: "/0" }])
    expect(diff(list, list.toSpliced(4, 0, "x", "y"))).toEqual([
      { op: "add", path: "/4", value: "x" },
      { op: "add", path: "/5", value: "y" }
    ])
  })

  test("change items of an array where they are", () => {
    const last = "a last item that is longer than to write two operations, whatever these may be about"
    const one = { id: 1, text: "a text of some length" }
    const two = { id: 2, text: "another text of some length" }
    expect(diff([one, two, "c", last], [one, { id: 2, text: "new" }, "d", last])).toEqual([
      { op: "replace", path: "/1/text", value: "new" },
      { op: "replace", path: "/2", value: "d" }
    ])
    expect(diff([one, two, "c", last], [{ id: 1, text: "new" }, "c", last])).toEqual([
      { op: "replace", path: "/0/text", value: "new" },
      { op: "remove", path: "/1" }
    ])
  })

  test("replace a container where its parts would take more text, and no more than that container", () => {
    const before = { ...object, in: { a: 1, b: 2, c: 3 } }
    const after = { ...object, in: { a: 4, b: 5, c: 6 } }
    expect(diff(before, after)).toEqual([{ op: "replace", path: "/in", value: after.in }])
    expect(diff({ in: before.in }, { in: after.in }, ["at", "a", "path"])).toEqual([
      { op: "replace", path: "/at/a/path/in", value: after.in }
    ])
    expect(diff({ of11letters: 1 }, {})).toEqual([{ op: "remove", path: "/of11letters" }])
    expect(diff({ of12_letters: 1 }, {})).toEqual([{ op: "replace", path: "", value: {} }])
    expect(diff([1, 2, 3], [3, 2, 1])).toEqual([{ op: "replace", path: "", value: [3, 2, 1] }])
  })

  test("replace what becomes of another kind", () => {
    for (const after of [null, 1, "1", true, [], ["a"]])
      expect(diff({ a: 1 }, after)).toEqual([{ op: "replace", path: "", value: after }])
    expect(diff({ ...object, a: [] }, { ...object, a: {} })).toEqual([
      { op: "replace", path: "/a", value: {} }
    ])
    expect(diff({ ...object, a: null }, { ...object, a: 0 })).toEqual([
      { op: "replace", path: "/a", value: 0 }
    ])
  })

  test("share the values that they write", () => {
    const value = { new: [1] }
    expect(diff(object, { ...object, value })).toEqual([{ op: "add", path: "/value", value }])
    const [operation] = diff(object, { ...object, value })
    expect((operation as { readonly value: Json }).value).toBe(value)
  })
})

/** In ms: the machine that runs tests is shared, and what is quadratic takes minutes here. */
const SOON = 5_000

const soon = <A>(work: () => A): A => {
  const start = performance.now()
  const result = work()
  expect(performance.now() - start).toBeLessThan(SOON)
  return result
}

describe("what is big", () => {
  const objects = (count: number) => numbers(count).map((n) => ({ id: n, tags: ["a", "b"] }))

  test("is compared in a time that grows with it and no faster", () => {
    const list = objects(BIG)
    expect(soon(() => diff(list, structuredClone(list)))).toEqual([])
    expect(soon(() => diff(list, [...objects(BIG), { id: -1, tags: [] }]))).toHaveLength(1)
    expect(soon(() => diff(list, [{ id: -1, tags: [] }, ...objects(BIG)]))).toHaveLength(1)
    expect(soon(() => diff(list, objects(BIG).toSpliced(BIG / 2, 2)))).toHaveLength(2)
    expect(soon(() => diff(list, objects(BIG).with(7, { id: -7, tags: [] })))).toHaveLength(1)
    expect(soon(() => diff(numbers(BIG), numbers(BIG).toReversed()))).toHaveLength(1)
    expect(soon(() => diff([], numbers(BIG)))).toHaveLength(1)
    expect(soon(() => diff(numbers(BIG), []))).toHaveLength(1)
  })

  test("is compared as fast where it nests, and differs on every level", () => {
    const nested = (last: string, all: Json) => {
      let value: Json = numbers(BIG).map((n) => `${last}${n}`)
      for (let level = 1; level < MAX_DEPTH; level++)
        value = level % 2 === 0 ? [value, all] : { in: value, all, same: 1 }
      return value
    }
    const [before, after] = [nested("a", "one"), nested("b", "two")]
    expect(
      applyPatch(
        before,
        soon(() => diff(before, after))
      )
    ).toEqual(after)
    const [half, whole] = [
      nested("a", "one"),
      nested("a", "a text that is longer than to write its path again".repeat(50))
    ]
    expect(
      applyPatch(
        half,
        soon(() => diff(half, whole))
      )
    ).toEqual(whole)
  })
})
