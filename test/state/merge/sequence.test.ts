import { describe, expect, test } from "vitest"
import type { Json } from "../../../src/base/json-value.ts"
import { clean, kinds, mergeAt } from "./merged.ts"

type List = ReadonlyArray<Json>

const whole = ["modify_modify /shared/at"]

describe("a sequence", () => {
  const merged = (base: List, ours: List, theirs: List) => mergeAt(base, ours, theirs, { array: "sequence" })

  test("takes hunks of both sides that lie apart", () => {
    expect(merged([1, 2, 3, 4, 5], [0, 1, 2, 3, 4, 5], [1, 2, 3, 5])).toEqual(clean([0, 1, 2, 3, 5]))
    expect(merged([1, 2, 3], ["one", 2, 3], [1, 2, "three", 4])).toEqual(clean(["one", 2, "three", 4]))
    expect(merged([{ a: 1 }, { b: 1 }, { c: 1 }], [{ b: 1 }, { c: 1 }], [{ a: 1 }, { b: 1 }])).toEqual(
      clean([{ b: 1 }])
    )
  })

  test("takes once what both changed alike", () => {
    expect(merged([1, 2, 3], [1, 9, 3, 4], [1, 9, 3])).toEqual(clean([1, 9, 3, 4]))
    expect(merged([1, 2, 3, 4, 5], [1, 9, 3, 4, 6], [0, 1, 9, 3, 4, 5])).toEqual(clean([0, 1, 9, 3, 4, 6]))
  })

  test.each<[string, List, List, List]>([
    ["overlap", [1, 2, 3], [1, 9, 3], [1, 8, 8]],
    ["touch", [1, 2, 3, 4], [1, 9, 3, 4], [1, 2, 9, 4]],
    ["insert at one place", [1, 2], [1, "x", 2], [1, "y", 2]],
    ["append", [1], [1, 2], [1, 3]],
    ["insert where the other one deletes", [1, 2, 3], [1, 3], [1, 2, 9, 3]],
    ["change repeated elements that may be aligned in two ways", [1, 1], [2, 1], [1, 2]]
  ])("conflicts as a whole where hunks %s", (_, base, ours, theirs) => {
    const { value, conflicts } = merged(base, ours, theirs)
    expect(value).toEqual(ours)
    expect(conflicts).toMatchObject([{ path: "/shared/at", kind: "modify_modify", base, ours, theirs }])
  })
})

describe("a text", () => {
  const merged = (base: string, ours: string, theirs: string) => mergeAt(base, ours, theirs, { text: true })

  test("is merged by lines", () => {
    expect(merged("a\nb\nc", "a\nb\nC", "A\nb\nc")).toEqual(clean("A\nb\nC"))
    expect(merged("a\r\n\r\nc\r\n", "a\r\n\r\nC\r\n", "\r\nc\r\n")).toEqual(clean("\r\nC\r\n"))
  })

  test("conflicts where the same lines, or lines that touch, were changed", () => {
    expect(kinds(merged("a\nb\n", "a\nB\n", "a\nbb\n"))).toEqual(whole)
    expect(kinds(merged("a\nb\n", "A\nb\n", "a\nB\n"))).toEqual(whole)
    expect(kinds(merged("", "a\n", "b\n"))).toEqual(whole)
    expect(kinds(merged("a", "a\nb", "a\nc"))).toEqual(whole)
  })
})
