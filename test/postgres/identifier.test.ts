import { Effect, Result } from "effect"
import * as fc from "fast-check"
import { describe, expect, test } from "vitest"
import {
  derivedMaxBytes,
  identifier,
  identifierMaxBytes,
  InvalidIdentifier,
  nameMaxBytes,
  quoted
} from "../../src/postgres/identifier.ts"
import { testDatabase } from "../support/database.ts"

const db = testDatabase()

const check = (name: string) => Effect.runSync(Effect.result(identifier("schema", name)))
const accepts = (name: string) => Result.isSuccess(check(name))

const first = "abcdefghijklmnopqrstuvwxyz_"
const later = first + "0123456789"
const names = fc
  .tuple(
    fc.constantFrom(...first.split("")),
    fc.string({ unit: fc.constantFrom(...later.split("")), maxLength: nameMaxBytes - 1 })
  )
  .map(([head, tail]) => head + tail)
  .filter((name) => !name.startsWith("pg_") && name !== "information_schema")

describe("identifier", () => {
  test("accepts every name of lower-case letters, digits and _ that is short enough", () => {
    fc.assert(fc.property(names, (name) => void expect(Result.getOrThrow(check(name))).toBe(name)))
  })

  test("refuses a name with any other character in any place", () => {
    const other = fc
      .string({ unit: "binary", minLength: 1, maxLength: 1 })
      .filter((unit) => !later.includes(unit))
    fc.assert(
      fc.property(names, other, fc.nat(), (name, unit, place) => {
        const at = place % (name.length + 1)
        expect(accepts(name.slice(0, at) + unit + name.slice(at))).toBe(false)
      })
    )
  })

  test.each([
    ["", "nothing"],
    ["1st", "a digit at its beginning"],
    ["Tidemark", "upper case"],
    ['a"b', "a quote"],
    ["a; drop schema public", "a semicolon"],
    ["a\n", "a line break at its end"],
    ["a\0", "a NUL byte"],
    ["a.b", "a dot"],
    ["größe", "a letter outside ASCII"],
    ["ａ", "a full-width letter"],
    ["pg_tidemark", "PostgreSQL's prefix"],
    ["pg_", "PostgreSQL's prefix alone"],
    ["information_schema", "a standard schema's name"]
  ])("refuses %j: %s", (name) => {
    expect(accepts(name)).toBe(false)
  })

  test("takes the longest name and refuses one that is a byte longer, and the limits of PostgreSQL", () => {
    expect(accepts("a".repeat(nameMaxBytes))).toBe(true)
    for (const bytes of [nameMaxBytes + 1, 63, 64]) expect(accepts("a".repeat(bytes))).toBe(false)
  })

  test("leaves room for what is derived from a name", () => {
    expect(nameMaxBytes + derivedMaxBytes).toBe(identifierMaxBytes)
    const longest = "a".repeat(nameMaxBytes)
    for (const derived of [
      `tidemark_${longest}`,
      `tidemark_${longest}_writer`,
      `${longest}__123456789_index`
    ]) {
      expect(Buffer.byteLength(derived)).toBeLessThanOrEqual(identifierMaxBytes)
    }
  })

  test("says what was wrong with which name and what to do", async () => {
    const failure = await Effect.runPromise(Effect.flip(identifier("schema", "My Log")))
    expect(failure).toBeInstanceOf(InvalidIdentifier)
    expect(failure.message).toMatch(/"My Log" cannot name a schema: .*Use a lower-case letter/)
  })

  test("does not repeat more of an endless name than a name can have", async () => {
    const failure = await Effect.runPromise(Effect.flip(identifier("schema", "a".repeat(100_000))))
    expect(failure.message.length).toBeLessThan(500)
  })
})

describe("quoted", () => {
  test("PostgreSQL reads back every name as it was, whatever it holds", async () => {
    const name = fc
      .string({
        unit: fc.oneof(
          fc.constantFrom(...`"';\\ $-.A`.split("")),
          fc.string({ unit: "grapheme", minLength: 1, maxLength: 1 })
        ),
        minLength: 1
      })
      .filter((text) => !text.includes("\0") && Buffer.byteLength(text) <= identifierMaxBytes)
    await fc.assert(
      fc.asyncProperty(name, async (text) => {
        const [row] = await db.query(`select 1 as ${quoted(text)}`)
        expect(Object.keys(row ?? {})).toEqual([text])
      })
    )
  })
})
