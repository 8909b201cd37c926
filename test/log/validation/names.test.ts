import fc from "fast-check"
import { describe, expect, test } from "vitest"
import { categoryOf, idOf, labelProblem, streamProblem, typeProblem } from "../../../src/log/name.ts"
import { testLog } from "../test-log.ts"

const log = testLog()

const char = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom(..."abzAZ019_.:-/~! \t\n\0\u007f") },
  { weight: 1, arbitrary: fc.string({ unit: "binary", minLength: 1, maxLength: 1 }) }
)
const text = (maxLength: number) => fc.string({ unit: char, maxLength })
const id = fc.string({ unit: fc.constantFrom(..."abzAZ09-_.:/~!\"'%"), minLength: 1, maxLength: 200 })
const likeStream = fc.oneof(
  text(20),
  fc.tuple(text(6), fc.constant("-"), text(12)).map((parts) => parts.join("")),
  fc
    .tuple(
      fc.constantFrom("a", "Z9", "run.x", "a:b_c", "1a", "ä", `a${"b".repeat(62)}`, `a${"b".repeat(63)}`),
      id
    )
    .map((parts) => parts.join("-")),
  fc.integer({ min: 250, max: 258 }).map((length) => `a-${"x".repeat(length - 2)}`)
)

describe("a stream's name", () => {
  test.each([
    "a-1",
    "Agent-7",
    "agent-billing-7",
    "run.a:b_c-1",
    "a--",
    "a-!~",
    `a${"b".repeat(62)}-1`,
    `a-${"x".repeat(253)}`
  ])("may be %s", (name) => {
    expect(streamProblem(name)).toBeUndefined()
  })

  test.each<readonly [string, unknown]>([
    ["empty", ""],
    ["without a category", "-1"],
    ["without an id", "agent-"],
    ["without a dash", "agent"],
    ["with a digit first", "7a-1"],
    ["with a space", "a- 1"],
    ["with a line break at its end", "a-1\n"],
    ["beyond ASCII", "a-ä"],
    ["with U+0000", "a-\0"],
    ["with a category that is too long", `a${"b".repeat(63)}-1`],
    ["too long", `a-${"x".repeat(254)}`],
    ["a number", 7],
    ["null", null],
    ["undefined", undefined],
    ["an object", {}]
  ])("may not be %s", async (_, name) => {
    expect(streamProblem(name as string)).toMatchObject({ _tag: "InvalidName", what: "stream" })
    await expect(log.engine.emit(name as string, { type: "T" })).rejects.toMatchObject({
      _tag: "InvalidName",
      what: "stream"
    })
  })

  test("is accepted by PostgreSQL exactly where it is accepted here, and has the same category there", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(likeStream, { minLength: 1, maxLength: 100 }), async (names) => {
        const sendable = names.filter((name) => !name.includes("\0") && name.isWellFormed())
        const rows = await log.db.query<{ valid: boolean; category: string }>(
          "select tidemark.stream_is_valid(name) as valid, split_part(name, '-', 1) as category from unnest($1::text[]) with ordinality as given (name, nth) order by nth",
          [sendable]
        )
        expect(rows.map(({ valid }) => valid)).toEqual(
          sendable.map((name) => streamProblem(name) === undefined)
        )
        sendable.forEach((name, nth) => {
          if (streamProblem(name) !== undefined) return
          expect(rows[nth]!.category).toBe(categoryOf(name))
          expect(`${categoryOf(name)}-${idOf(name)}`).toBe(name)
        })
      }),
      { numRuns: 100 }
    )
  })

  test("is accepted here exactly where it is accepted in an append", async () => {
    await fc.assert(
      fc.asyncProperty(likeStream, async (name) => {
        const emitting = log.engine.emit(name, { type: "T" })
        if (streamProblem(name) === undefined) expect((await emitting).stream).toBe(name)
        else await expect(emitting).rejects.toMatchObject({ _tag: "InvalidName", given: name })
      }),
      { numRuns: 100 }
    )
  })
})

describe("a type", () => {
  test.each<readonly [string, unknown]>([
    ["empty", ""],
    ["with a space", "a b"],
    ["beyond ASCII", "ä"],
    ["too long", "a".repeat(129)],
    ["with a line break", "a\n"],
    ["a number", 7],
    ["undefined", undefined],
    ["null", null]
  ])("may not be %s", async (_, type) => {
    expect(typeProblem(type as string)).toMatchObject({ what: "type" })
    await expect(log.engine.emit("order-1", { type: type as string })).rejects.toMatchObject({
      _tag: "InvalidName",
      what: "type"
    })
  })

  test("may be 1 to 128 visible ASCII characters", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme-ascii", minLength: 1, maxLength: 128 }), (type) => {
        expect(typeProblem(type) === undefined).toBe(!type.includes(" "))
      })
    )
  })
})

describe("a label", () => {
  test.each<readonly [string, unknown]>([
    ["empty", ""],
    ["a space", " "],
    ["with a space at its beginning", " a"],
    ["with a space at its end", "a "],
    ["with a line break", "a\nb"],
    ["with U+0000", "a\0b"],
    ["with half a surrogate pair", "a\ud800b"],
    ["too long", "a".repeat(129)],
    ["a number", 7],
    ["null", null]
  ])("may not be %s", async (_, label) => {
    expect(labelProblem(label as string)).toMatchObject({ what: "label" })
    await expect(log.engine.emit("order-1", { type: "T", labels: [label as string] })).rejects.toMatchObject({
      _tag: "InvalidName",
      what: "label"
    })
  })

  test.each(["run:42", "a b", "ä☃", "👩‍👩‍👧".slice(0, 2), "a".repeat(128), "😀".repeat(128)])(
    "may be %s",
    async (label) => {
      expect(labelProblem(label)).toBeUndefined()
      await log.engine.emit("label-1", { type: "T", labels: [label] })
    }
  )

  test("that is accepted here is accepted by PostgreSQL, and comes back as it was", async () => {
    const likeLabel = fc.oneof(
      text(6),
      fc.string({ unit: "binary", maxLength: 130 }),
      fc.string({ unit: "grapheme", maxLength: 20 })
    )
    await fc.assert(
      fc.asyncProperty(fc.uniqueArray(likeLabel, { minLength: 1, maxLength: 32 }), async (labels) => {
        const fine = labels.filter((label) => labelProblem(label) === undefined)
        const [row] = await log.db.query<{ valid: boolean; labels: ReadonlyArray<string> }>(
          "select tidemark.labels_are_valid($1) as valid, array(select jsonb_array_elements_text($1)) as labels",
          [JSON.stringify(fine)]
        )
        expect(row).toEqual({ valid: true, labels: fine })
      })
    )
  })
})
