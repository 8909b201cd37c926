import fc from "fast-check"
import { describe, expect, test } from "vitest"
import { canonicalJson } from "../../src/base/canonical-json.ts"
import { encodeJson, MAX_DEPTH } from "../../src/base/json.ts"
import { isJsonArray, isJsonObject, type Json } from "../../src/base/json-value.ts"
import { numbers, samples, testdata } from "./canonical-vectors.ts"

const json = fc.jsonValue({ maxDepth: 4 }) as fc.Arbitrary<Json>

const doubleOf = (bits: string): number => Buffer.from(bits, "hex").readDoubleBE()

/** The same value, each object made with its keys in the opposite order. */
const turned = (value: Json): Json => {
  if (isJsonArray(value)) return value.map(turned)
  if (!isJsonObject(value)) return value
  const entries = Object.entries(value).map(([key, item]) => [key, turned(item)] as const)
  return Object.fromEntries(entries.toReversed())
}

const nested = (depth: number): Json => {
  let value: Json = []
  for (let level = 1; level < depth; level++) value = level % 2 === 0 ? [value] : { in: value }
  return value
}

describe("the canonical form", () => {
  test.each(testdata)(
    "is as in the test data of the reference implementation: $name",
    ({ input, output }) => {
      expect(canonicalJson(JSON.parse(input))).toBe(output)
    }
  )

  test.each(samples)("is as in the sample of RFC 8785, section $name", ({ input, output }) => {
    expect(canonicalJson(JSON.parse(input))).toBe(output)
  })

  test.each(numbers)("of the number with the bits %s is %s", (bits, text) => {
    if (text === undefined) expect(() => canonicalJson(doubleOf(bits))).toThrow(TypeError)
    else expect(canonicalJson(doubleOf(bits))).toBe(text)
  })

  test("of any number is how ECMAScript writes it, and gives the same number back", () => {
    const bits = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n })
    const double = bits.map((drawn) => doubleOf(drawn.toString(16).padStart(16, "0"))).filter(Number.isFinite)
    fc.assert(
      fc.property(fc.oneof(double, fc.double({ noNaN: true, noDefaultInfinity: true })), (number) => {
        expect(canonicalJson(number)).toBe(String(number))
        expect(Number(canonicalJson(number)) === number).toBe(true)
      }),
      { numRuns: 5_000 }
    )
  })

  test("does not depend on the order of keys", () => {
    fc.assert(
      fc.property(json, (value) => {
        expect(canonicalJson(turned(value))).toBe(canonicalJson(value))
      })
    )
  })

  test("has the keys of each object in the order of their code units, however many there are", () => {
    const key = fc.string({ unit: "grapheme", maxLength: 3 })
    fc.assert(
      fc.property(fc.uniqueArray(key, { maxLength: 40 }), (keys) => {
        const text = canonicalJson(Object.fromEntries(keys.map((name) => [name, 0])))
        expect(text).toBe(
          `{${keys
            .toSorted()
            .map((name) => `${JSON.stringify(name)}:0`)
            .join(",")}}`
        )
      })
    )
  })

  test("is JSON of the same value, with nothing to spare", () => {
    fc.assert(
      fc.property(json, (value) => {
        const text = canonicalJson(value)
        expect(JSON.parse(text)).toEqual(JSON.parse(JSON.stringify(value)))
        expect(text).toHaveLength(JSON.stringify(value).length)
      })
    )
  })

  test("has strings as JSON.stringify writes them, whatever is in them", () => {
    const codes = fc.array(fc.integer({ min: 0, max: 0x10_ffff }))
    const texts = codes.map((all) => String.fromCodePoint(...all)).filter((text) => text.isWellFormed())
    fc.assert(
      fc.property(texts, (text) => {
        expect(canonicalJson(text)).toBe(JSON.stringify(text))
      })
    )
    for (let code = 0; code < 0xd800; code++) {
      const text = String.fromCharCode(code)
      if (canonicalJson(text) !== JSON.stringify(text)) expect.unreachable(`U+${code.toString(16)}`)
    }
  })

  test("keeps keys that mean something to JavaScript", () => {
    const text = '{"__proto__":{"a":1},"constructor":2,"toJSON":3}'
    expect(canonicalJson(JSON.parse(text))).toBe(text)
  })

  test("is there for all that may be stored, however deeply it nests", () => {
    const value = nested(MAX_DEPTH)
    expect(encodeJson(value)).toEqual({ text: canonicalJson(value) })
  })

  test.each([
    ["NaN", Number.NaN],
    ["an infinite number", [Number.NEGATIVE_INFINITY]],
    ["the first half of a pair of surrogates", { "\ud800": 1 }],
    ["the second half of one", ["a\udc00"]],
    ["undefined", { a: undefined }],
    ["a hole in an array", Array(1)],
    ["a bigint", 1n],
    ["a function", () => 1]
  ])("is refused for %s", (_, value) => {
    expect(() => canonicalJson(value as Json)).toThrow(TypeError)
  })
})
