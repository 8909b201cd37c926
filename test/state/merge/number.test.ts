import { describe, expect, test } from "vitest"
import { clean, kinds, mergeAt } from "./merged.ts"

const whole = ["modify_modify /shared/at"]

describe("a number", () => {
  const counted = (base: number, ours: number, theirs: number) =>
    mergeAt(base, ours, theirs, { number: "counter" })

  test("that is a counter gets both differences", () => {
    expect(counted(10, 15, 7)).toEqual(clean(12))
    expect(counted(1.5, 2.5, 1)).toEqual(clean(2))
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
