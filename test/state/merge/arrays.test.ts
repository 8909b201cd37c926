import { describe, expect, test } from "vitest"
import type { Json } from "../../../src/base/json-value.ts"
import type { ArrayStrategy } from "../../../src/state/merge/rule.ts"
import { clean, kinds, mergeAt } from "./merged.ts"

type List = ReadonlyArray<Json>

const by = (array: ArrayStrategy) => (base: List, ours: List, theirs: List) =>
  mergeAt(base, ours, theirs, { array })

const whole = ["modify_modify /shared/at"]

describe("an atomic array", () => {
  const merged = by("atomic")

  test("is taken from the side that changed it", () => {
    expect(merged([1], [1, 2], [1])).toEqual(clean([1, 2]))
    expect(merged([1], [1], [])).toEqual(clean([]))
    expect(merged([1], [1, 2], [1, 2])).toEqual(clean([1, 2]))
  })

  test("conflicts as a whole where both changed it, wherever they did", () => {
    expect(kinds(merged([1, 2, 3], [0, 2, 3], [1, 2, 4]))).toEqual(whole)
    expect(kinds(merged([{ id: 1, a: 1, b: 1 }], [{ id: 1, a: 2, b: 1 }], [{ id: 1, a: 1, b: 2 }]))).toEqual(
      whole
    )
  })
})

describe("a set", () => {
  const merged = by("set")

  test("has what both kept and what either added, in the order of ours and then of theirs", () => {
    expect(merged([1, 2], [2, 3, 1], [4, 1, 2, 5])).toEqual(clean([2, 3, 1, 4, 5]))
  })

  test("has nothing that either removed", () => {
    expect(merged([1, 2, 3], [2, 3], [1, 2, 4])).toEqual(clean([2, 4]))
    expect(merged([1, 2], [1], [2])).toEqual(clean([]))
  })

  test("has what both added once, and what one has twice once", () => {
    expect(merged([], ["a", "b"], ["b", "c"])).toEqual(clean(["a", "b", "c"]))
    expect(merged([1], [1, 2, 2], [1, 3, 3])).toEqual(clean([1, 2, 3]))
  })

  test("knows elements by their value, whatever the order of keys", () => {
    expect(merged([{ a: 1, b: 2 }], [{ b: 2, a: 1 }, 1], [2])).toEqual(clean([1, 2]))
    expect(merged([], [0, "1", null], [-0, 1, false])).toEqual(clean([0, "1", null, 1, false]))
  })
})

describe("an appended array", () => {
  const merged = by("append")

  test("has what both appended, ours first", () => {
    expect(merged(["a"], ["a", "b", "c"], ["a", "d"])).toEqual(clean(["a", "b", "c", "d"]))
    expect(merged([], [{ id: 1 }], [{ id: 2 }])).toEqual(clean([{ id: 1 }, { id: 2 }]))
  })

  test("has once what both appended alike, by id or by value, as often as either has it", () => {
    expect(merged([], [{ id: 1, t: "x" }, { id: 2 }], [{ id: 3 }, { t: "x", id: 1 }])).toEqual(
      clean([{ id: 1, t: "x" }, { id: 2 }, { id: 3 }])
    )
    expect(merged([], ["a", "b"], ["b", "c"])).toEqual(clean(["a", "b", "c"]))
    expect(merged([], ["a"], ["a", "a", "b"])).toEqual(clean(["a", "a", "b"]))
    expect(merged(["a"], ["a", "a"], ["a", "b"])).toEqual(clean(["a", "a", "b"]))
  })

  test("is keyed by id where a side did more than append", () => {
    const { value, conflicts, notes } = merged(
      [
        { id: 1, t: "a" },
        { id: 2, t: "b" }
      ],
      [{ id: 1, t: "A" }, { id: 2, t: "b" }, { id: 3 }],
      [{ id: 1, t: "a" }, { id: 4 }]
    )
    expect(value).toEqual([{ id: 1, t: "A" }, { id: 3 }, { id: 4 }])
    expect(conflicts).toEqual([])
    expect(notes).toEqual([
      {
        kind: "fallback",
        path: "/shared/at",
        from: "append",
        to: "keyed",
        reason: "ours did not only append"
      }
    ])
  })

  test("takes what a side has merged before as added, wherever that stands", () => {
    // Two have met already, and the first of them had its own in front.
    expect(merged(["a"], ["c", "a"], ["a", "b"])).toMatchObject({ value: ["c", "a", "b"], conflicts: [] })
    expect(merged(["a"], ["a", "b"], ["c", "a"])).toMatchObject({ value: ["a", "b", "c"], conflicts: [] })
    expect(merged(["a"], ["c", "a", "b"], ["a", "b"])).toMatchObject({
      value: ["c", "a", "b"],
      conflicts: []
    })
    expect(merged(["a", "a"], ["a", "b", "a"], ["a", "a", "a"])).toMatchObject({
      value: ["a", "b", "a", "a"],
      conflicts: []
    })
  })

  test("is keyed by id where both appended different elements of one id, so that nothing is lost", () => {
    const { value, conflicts, notes } = merged(
      [{ id: 1 }],
      [{ id: 1 }, { id: 2, t: "x" }],
      [{ id: 1 }, { id: 2, t: "y" }]
    )
    expect(value).toEqual([{ id: 1 }, { id: 2, t: "x" }])
    expect(conflicts).toMatchObject([{ path: '/shared/at/{"id":2}/t', kind: "add_add" }])
    expect(notes).toMatchObject([
      { to: "keyed", reason: "both appended different elements of the id 2" },
      { kind: "auto:add_add_object" }
    ])
  })

  test("is atomic where it cannot be keyed either", () => {
    const { value, conflicts, notes } = merged(["a", "b"], ["b"], ["a", "b", "c"])
    expect(value).toEqual(["b"])
    expect(conflicts).toMatchObject([{ path: "/shared/at", kind: "modify_modify" }])
    expect(notes).toEqual([
      {
        kind: "fallback",
        path: "/shared/at",
        from: "append",
        to: "atomic",
        reason: "ours did not only append, and in ours element 0 has no id"
      }
    ])
  })
})
