import { describe, expect, test } from "vitest"
import {
  InvalidArgument,
  InvalidEvent,
  type ExpectedVersion,
  type Meta,
  type NewEvent
} from "../../../src/index.ts"
import { eventsOf, testLog, traceOf, upTo } from "../test-log.ts"

const maxEventBytes = 4_096
const log = testLog({ maxEventBytes })
const mebibyte = 1024 * 1024

const refused = async (events: unknown, options: { expected?: unknown; meta?: unknown } = {}) => {
  const stream = log.stream()
  const failure = (await log.engine
    .emit(stream, events as NewEvent, options as { expected?: ExpectedVersion; meta?: Meta })
    .catch((error: unknown) => error)) as Error
  expect(await traceOf(log.db, stream)).toEqual({ events: 0, heads: 0 })
  return failure
}

/** Data whose JSON has so many bytes. */
const ofBytes = (bytes: number, character = "x") => {
  const frame = '{"text":""}'.length
  return { text: character.repeat((bytes - frame) / Buffer.byteLength(character)) }
}

describe("an event that cannot be stored is InvalidEvent, with its stream, type and problem, and appends nothing:", () => {
  test.each<readonly [string, object, RegExp]>([
    ["U+0000 in a text", { data: { a: ["\0"] } }, /data\.a\[0\] is a string with U\+0000/],
    ["half a surrogate pair", { data: "\ud800" }, /data is a string with .* surrogate/],
    ["a number that is not finite", { data: { n: Number.NaN } }, /data\.n is NaN/],
    ["a function", { data: { f: () => 1 } }, /data\.f is a function/],
    [
      "nesting over 500",
      { data: JSON.parse(`${"[".repeat(501)}${"]".repeat(501)}`) },
      /nesting deeper than 500/
    ],
    ["a __proto__ key", { data: JSON.parse('{"__proto__":{"admin":true}}') }, /__proto__/],
    ["an id that is no UUID", { id: "7" }, /its id 7 is not a UUID/],
    ["an id in upper case", { id: "01890A5D-AC96-774B-BCCE-B302099A8057" }, /not a UUID in lower case/],
    ["an id that is a bigint", { id: 7n }, /its id 7 is not/],
    ["33 labels", { labels: upTo(33).map(String) }, /33 labels, 32 is the most/],
    ["labels that are a text", { labels: "abc" }, /labels are not an array/],
    ["a schema version of 0", { schemaVersion: 0 }, /schemaVersion is not a whole number from 1/],
    ["a broken schema version", { schemaVersion: 1.5 }, /schemaVersion/],
    ["a schema version that PostgreSQL cannot hold", { schemaVersion: 2 ** 31 }, /schemaVersion/],
    ["a time that is none", { occurredAt: "yesterday-ish" }, /occurredAt is not a time/],
    ["a time that is null", { occurredAt: null }, /occurredAt is not a time/],
    [
      "a time for data that has no place for it",
      { occurredAt: new Date(), data: [1] },
      /occurredAt needs data that is a plain object/
    ],
    [
      "a time for data that says itself what it is",
      { occurredAt: new Date(), data: new Date() },
      /plain object/
    ],
    ["a time for a Map", { occurredAt: new Date(), data: new Map([[1, 2]]) }, /plain object/]
  ])("%s", async (_, event, problem) => {
    const failure = await refused({ type: "Bad", ...event })
    expect(failure).toBeInstanceOf(InvalidEvent)
    expect(failure).toMatchObject({
      _tag: "InvalidEvent",
      type: "Bad",
      stream: expect.any(String),
      problem: expect.stringMatching(problem)
    })
    expect(failure.message).toContain("Nothing was appended")
  })

  test("one bad among many good", async () => {
    const failure = await refused([
      { type: "Good" },
      { type: "Bad", data: { n: Number.POSITIVE_INFINITY } },
      { type: "Good" }
    ])
    expect(failure).toMatchObject({ _tag: "InvalidEvent", type: "Bad" })
  })
})

describe("an event's size", () => {
  test("may be up to the bound, in bytes, whatever the characters", async () => {
    for (const character of ["x", "ä", "☃", "😀"]) {
      const stream = log.stream()
      const room = maxEventBytes - ((maxEventBytes - '{"text":""}'.length) % Buffer.byteLength(character))
      const data = ofBytes(room, character)
      await log.engine.emit(stream, { type: "Large", data })
      expect(await eventsOf(log.engine, stream)).toMatchObject([{ data }])
      const failure = await refused({
        type: "Larger",
        data: ofBytes(room + Buffer.byteLength(character), character)
      })
      expect(failure).toMatchObject({
        _tag: "InvalidEvent",
        problem: expect.stringContaining(`${maxEventBytes} bytes`)
      })
    }
  })

  test("is bounded at 1 MiB where nothing else is said", async () => {
    const engine = await log.open({ maxEventBytes: undefined } as never)
    await engine.emit(log.stream(), { type: "Large", data: ofBytes(mebibyte) })
    await expect(
      engine.emit(log.stream(), { type: "Larger", data: ofBytes(mebibyte + 1) })
    ).rejects.toMatchObject({
      _tag: "InvalidEvent"
    })
  })

  test("and that of meta are bounded apart, each event by itself", async () => {
    const [stream, text] = [log.stream(), "x".repeat(maxEventBytes - 20)]
    await log.engine.emit(
      stream,
      upTo(3).map(() => ({ type: "Large", data: { text } })),
      { meta: { text } }
    )
    expect(await refused({ type: "T" }, { meta: { text: `${text}${text}` } })).toMatchObject({
      problem: expect.stringMatching(/meta is larger/)
    })
  })
})

describe("meta", () => {
  test("of one event goes before that of the append, and is checked like it", async () => {
    const { events } = await log.engine.emit(
      "own-1",
      [{ type: "T", meta: { actor: "b", reason: "r" } }, { type: "T" }],
      { meta: { actor: "a", correlationId: "c" } }
    )
    const read = await eventsOf(log.engine, "own-1")
    expect(read.map(({ meta }) => meta)).toEqual([
      { actor: "b", correlationId: "c", reason: "r" },
      { actor: "a", correlationId: "c" }
    ])
    expect(events).toHaveLength(2)
    for (const meta of [{ text: "\0" }, "x", null])
      expect(await refused({ type: "T", meta })).toMatchObject({ problem: expect.stringMatching(/^meta/) })
  })

  test.each<readonly [string, unknown]>([
    ["a text", "x"],
    ["an array", ["x"]],
    ["null", null],
    ["a Date", new Date()],
    ["U+0000", { reason: "\0" }],
    ["a function", { f: () => 1 }]
  ])("may not be or hold %s", async (_, meta) => {
    expect(await refused({ type: "T" }, { meta })).toMatchObject({
      _tag: "InvalidEvent",
      problem: expect.stringMatching(/^meta/)
    })
  })
})

describe("an append that says nothing is InvalidArgument:", () => {
  test.each<readonly [string, unknown, unknown?]>([
    ["no events", []],
    ["undefined for an event", undefined],
    ["null among events", [{ type: "T" }, null]],
    ["a text for an event", "T"],
    ["an expected version below 0", { type: "T" }, -1],
    ["a broken expected version", { type: "T" }, 1.5],
    ["an unknown word for an expected version", { type: "T" }, "new"],
    ["a bigint for an expected version", { type: "T" }, 1n],
    ["null for an expected version", { type: "T" }, null],
    ["an expected version that no number holds", { type: "T" }, 2 ** 53],
    ["more events than one append may hold", upTo(100_001).map(() => ({ type: "T" }))]
  ])("%s", async (_, events, expected) => {
    const failure = await refused(events, expected === undefined ? {} : { expected })
    expect(failure).toBeInstanceOf(InvalidArgument)
    expect(failure.message.length).toBeGreaterThan(20)
  })
})
