import fc from "fast-check"
import { expect, test } from "vitest"
import { JsonLength } from "../../src/base/json-length.ts"
import { json } from "./patches.ts"

const textLength = (value: unknown): number => JSON.stringify(value).length

test("the length of a value is that of its JSON text", () => {
  fc.assert(
    fc.property(json, (value) => {
      expect(new JsonLength().of(value)).toBe(textLength(value))
    })
  )
})

test("a value is longer than some limit exactly where its text is, whatever was asked of it and its parts before", () => {
  const limits = fc.array(fc.integer({ min: -5, max: 120 }), { minLength: 1 })
  fc.assert(
    fc.property(json, json, limits, (one, other, asked) => {
      const around = { one: [one, one], other, "": [other] }
      const lengths = new JsonLength()
      for (const limit of asked)
        for (const value of [one, around, other])
          expect(lengths.isOver(value, limit)).toBe(textLength(value) > limit)
      expect(lengths.of(around)).toBe(textLength(around))
    }),
    { numRuns: 1_000 }
  )
})

test("a long value is not walked through for a low limit", () => {
  const far = {
    get far(): never {
      throw new Error("walked too far")
    }
  }
  expect(new JsonLength().isOver(["a text of some length", far], 5)).toBe(true)
})
