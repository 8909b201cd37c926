import { describe, expect, test } from "vitest"
import { ABSENT, clean, kinds, mergeAt } from "./merged.ts"

const whole = ["modify_modify /shared/at"]

describe("a number", () => {
  const counted = (base: number, ours: number, theirs: number) =>
    mergeAt(base, ours, theirs, { number: "counter" })

  test("that is a counter gets both differences", () => {
    expect(counted(10, 15, 7)).toEqual(clean(12))
    expect(counted(1.5, 2.5, 1)).toEqual(clean(2))
  })

  test("that is a counter gets both differences though they are alike, wherever it is", () => {
    expect(counted(5, 6, 6)).toEqual(clean(7))
    expect(counted(5, 5, 5)).toEqual(clean(5))
    expect(mergeAt(ABSENT, 1, 1, { number: "counter" })).toEqual(clean(2))
    const below = [
      { path: "/shared/at/**/n", number: "counter" },
      { path: "/shared/at/list", array: { keyed: ["id"] } }
    ] as const
    const of = (n: number) => ({ n, x: "x", list: [{ id: 1, n }, { id: 2 }] })
    const both = of(2)
    expect(mergeAt(of(1), both, both, below)).toEqual(clean(of(3)))
    expect(mergeAt(of(1), both, of(2), below)).toEqual(clean(of(3)))
    expect(mergeAt(ABSENT, both, of(2), below)).toEqual(clean(of(4)))
    const unnamed = { list: [{ n: 2 }] }
    expect(mergeAt({ list: [{ n: 1 }] }, unnamed, { list: [{ n: 2 }] }, below).value).toEqual(unnamed)
  })

  test("that is a counter conflicts where the sum cannot be counted exactly, or overflows", () => {
    expect(kinds(counted(0, 2 ** 53 - 1, 2))).toEqual(whole)
    expect(kinds(counted(2 ** 60, 2 ** 60 + 1024, 2 ** 60 + 2048))).toEqual(whole)
    expect(kinds(counted(0.5, 1.7e308, 1.7e308 / 2))).toEqual(whole)
  })

  test("of which the greater or the lesser is wanted is that of the sides, whatever the base was", () => {
    expect(mergeAt(5, 3, 4, { number: "max" })).toEqual(clean(4))
    expect(mergeAt(5, 7, 4, { number: "max" })).toEqual(clean(7))
    expect(mergeAt(5, 7, 4, { number: "min" })).toEqual(clean(4))
  })
})
