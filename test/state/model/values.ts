import fc from "fast-check"
import { TIERS, type Value } from "./document.ts"

const KEYS = [
  "a",
  "b",
  "",
  "~",
  "/",
  "a/b",
  "~1",
  "constructor",
  "é",
  "-",
  "0",
  "a key with a long name",
  "~/".repeat(9)
]

/** More than the index of contents takes. */
export const LONG = 9_000

export const key = fc.constantFrom(...KEYS)

const leaf: fc.Arbitrary<Value> = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom<Value>(0, 1, 2, "x", "y") },
  { weight: 2, arbitrary: fc.constantFrom<Value>(null, true, "", -1.5, 1e21, "é😀\u2028") },
  { weight: 1, arbitrary: fc.nat(3).map((n): Value => `${n}`.repeat(LONG)) }
)

export const value: fc.Arbitrary<Value> = fc.letrec<{ value: Value }>((tie) => ({
  value: fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    { weight: 3, arbitrary: leaf },
    { weight: 1, arbitrary: fc.array(tie("value"), { maxLength: 3 }) },
    {
      weight: 2,
      arbitrary: fc.dictionary(key, tie("value"), {
        maxKeys: 3,
        noNullPrototype: true
      }) as fc.Arbitrary<Value>
    }
  )
})).value

/** Often the same ones, so that there is something to merge. */
export const topKey = fc.oneof(
  { weight: 5, arbitrary: fc.constantFrom("a", "b") },
  { weight: 1, arbitrary: key }
)

export const tier = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom(0, 1) },
  { weight: 1, arbitrary: fc.nat(TIERS.length - 1) }
)
