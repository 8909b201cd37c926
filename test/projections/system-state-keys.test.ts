import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { keyOf, stateStream } from "../../projections/system-state/key.ts"
import { streamProblem } from "../../src/log/name.ts"

describe("the stream of a key", () => {
  const long = fc.string({ unit: "grapheme", minLength: 1, maxLength: 255 })
  const near = fc.string({ unit: fc.constantFrom("%", "~", "2", "5", " ", "é", "𝄞"), minLength: 1 })
  const keys = fc
    .oneof(long, near, fc.string({ unit: "binary", minLength: 1 }))
    .filter((key) => !key.includes("\0") && key.isWellFormed() && Array.from(key).length <= 255)

  it("is a stream, which tells the key back: by its name alone where that has room for it", () => {
    fc.assert(
      fc.property(keys, (key) => {
        const stream = stateStream(key)
        expect(streamProblem(stream)).toBeUndefined()
        expect(keyOf(stream, key)).toBe(key)
        expect([key, undefined]).toContain(keyOf(stream, undefined))
      }),
      { numRuns: 1_000 }
    )
  })

  it("is another one for each key", () => {
    fc.assert(
      fc.property(keys, keys, (one, other) => {
        expect(stateStream(one) === stateStream(other)).toBe(one === other)
      }),
      { numRuns: 1_000 }
    )
  })

  it.each([
    ["mode", "system_state-mode"],
    ["a/b-c", "system_state-a/b-c"],
    ["100 %é", "system_state-100%20%25%C3%A9"],
    ["x".repeat(242), `system_state-${"x".repeat(242)}`]
  ])("of %j can be read", (key, stream) => {
    expect(stateStream(key)).toBe(stream)
    expect(keyOf(stream, undefined)).toBe(key)
  })

  it("has the digest of a key that it has no room for, which the event then says", () => {
    const key = "x".repeat(243)
    expect(stateStream(key)).toMatch(/^system_state-x{100}%~[0-9a-f]{64}$/)
    expect(keyOf(stateStream(key), key)).toBe(key)
    expect(keyOf(stateStream(key), "another")).toBeUndefined()
  })
})
