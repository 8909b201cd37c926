import { randomUUID } from "node:crypto"
import { describe, expect, test } from "vitest"
import { DuplicateEvent, type ExpectedVersion, type NewEvent, type Placed } from "../../../src/index.ts"
import { eventsOf, testLog, traceOf } from "../test-log.ts"

// Rules A2 and A3: an id names one event for ever, and ids are judged before expected versions. KurrentDB, from whose
// suite this table is taken, looks at the events behind the expected version instead; where ours differs, the name says so.

const log = testLog()

type Append = { readonly events: ReadonlyArray<number>; readonly expected: ExpectedVersion }

const append = (events: ReadonlyArray<number>, expected: ExpectedVersion): Append => ({ events, expected })
const one = (n: number, expected: ExpectedVersion) => append([n], expected)

/** Events by their number, the same event for the same number. */
const eventsByNumber = () => {
  const ids = new Map<number, string>()
  return (n: number): NewEvent => {
    const id = ids.get(n) ?? randomUUID()
    ids.set(n, id)
    return { id, type: "Numbered", data: { n } }
  }
}

const asSequence = [one(0, "none"), one(1, 1), one(2, 2), one(3, 3), one(4, 4), one(5, 5)]
const asPair = [append([0, 1], "none")]

const repeated: ReadonlyArray<readonly [string, ReadonlyArray<Append>, Append, ReadonlyArray<number>]> = [
  ["the first of six, expecting a new stream", asSequence, one(0, "none"), [1]],
  ["the first of six, expecting anything", asSequence, one(0, "any"), [1]],
  ["the first of six, expecting the head (KurrentDB appends it a second time)", asSequence, one(0, 6), [1]],
  ["the first of six, expecting too much (KurrentDB: wrong version)", asSequence, one(0, 7), [1]],
  ["the first of six, expecting too little (KurrentDB: wrong version)", asSequence, one(0, 5), [1]],
  ["the last of six, expecting what it expected", asSequence, one(5, 5), [6]],
  ["one of one, expecting the head (KurrentDB appends it a second time)", [one(0, "none")], one(0, 1), [1]],
  ["one of one, expecting anything", [one(0, "none")], one(0, "any"), [1]],
  ["one of one, expecting a new stream", [one(0, "none")], one(0, "none"), [1]],
  ["one of one, expecting that it exists", [one(0, "none")], one(0, "exists"), [1]],
  ["one from the middle, twice", [one(0, "none"), one(1, 1), one(2, 2), one(1, "any")], one(1, "any"), [2]],
  ["the first of a pair, expecting a new stream", asPair, one(0, "none"), [1]],
  ["the first of a pair, expecting anything", asPair, one(0, "any"), [1]],
  ["the second of a pair, expecting the first", asPair, one(1, 1), [2]],
  ["the second of a pair, expecting anything", asPair, one(1, "any"), [2]],
  ["a pair as a whole", asPair, append([0, 1], "none"), [1, 2]],
  ["two appends as one", [one(0, "none"), one(1, 1)], append([0, 1], "none"), [1, 2]]
]

const refused: ReadonlyArray<readonly [string, ReadonlyArray<Append>, Append]> = [
  ["a pair and one more", asPair, append([0, 1, 2], "none")],
  ["one more and a pair", asPair, append([2, 0, 1], "any")],
  ["a pair the other way round", asPair, append([1, 0], "any")],
  ["a pair with one between them left out", [append([0, 1, 2], "none")], append([0, 2], "any")],
  ["one event twice in one append", [], append([0, 0], "any")],
  ["one event six times in one append", [], append([0, 0, 0, 0, 0, 0], "any")]
]

const history = async (before: ReadonlyArray<Append>) => {
  const stream = log.stream()
  const event = eventsByNumber()
  const first: Array<Placed> = []
  const send = ({ events, expected }: Append) => log.engine.emit(stream, events.map(event), { expected })
  for (const one of before) first.push(...(await send(one)).events)
  return { stream, event, send, first }
}

describe("sent again,", () => {
  test.each(repeated)(
    "%s is the same append, with its first positions",
    async (_, before, again, versions) => {
      const { stream, send, first } = await history(before)
      const had = await traceOf(log.db, stream)
      const { events } = await send(again)
      expect(events).toEqual(versions.map((version) => first.find((placed) => placed.version === version)))
      expect(await traceOf(log.db, stream)).toEqual(had)
    }
  )

  test.each(refused)("%s is refused as a duplicate", async (_, before, again) => {
    const { stream, event, send } = await history(before)
    const had = await traceOf(log.db, stream)
    const failure = await send(again).catch((error) => error)
    expect(failure).toBeInstanceOf(DuplicateEvent)
    expect(failure).toMatchObject({ _tag: "DuplicateEvent", stream })
    expect(again.events.map((n) => event(n).id)).toEqual(expect.arrayContaining(failure.ids))
    expect(await traceOf(log.db, stream)).toEqual(had)
  })
})

describe("an id that is in the log", () => {
  const id = () => randomUUID()
  const base = { type: "Paid", data: { sum: 1, by: "card" }, labels: ["a", "b"], schemaVersion: 1 }

  test.each<readonly [string, Partial<NewEvent>]>([
    ["type", { type: "Refunded" }],
    ["data", { data: { sum: 2, by: "card" } }],
    ["labels", { labels: ["b", "a"] }],
    ["schema version", { schemaVersion: 2 }]
  ])("with another %s is a duplicate", async (_, change) => {
    const stream = log.stream()
    const event = { ...base, id: id() }
    await log.engine.emit(stream, event)
    await expect(log.engine.emit(stream, { ...event, ...change })).rejects.toBeInstanceOf(DuplicateEvent)
    expect(await eventsOf(log.engine, stream)).toMatchObject([base])
  })

  test("in another stream is a duplicate, and leaves that stream without a trace", async () => {
    const [stream, another] = [log.stream(), log.stream()]
    const event = { ...base, id: id() }
    await log.engine.emit(stream, event)
    await expect(log.engine.emit(another, event)).rejects.toMatchObject({
      _tag: "DuplicateEvent",
      ids: [event.id]
    })
    expect(await traceOf(log.db, another)).toEqual({ events: 0, heads: 0 })
  })

  test("with its keys in another order and other meta is the same append, and keeps its first meta", async () => {
    const stream = log.stream()
    const event = { ...base, id: id() }
    const first = await log.engine.emit(stream, event, { meta: { traceparent: "00-1" } })
    const again = await log.engine.emit(
      stream,
      { ...event, data: { by: "card", sum: 1.0 } },
      { meta: { traceparent: "00-2" } }
    )
    expect(again).toEqual(first)
    expect(await eventsOf(log.engine, stream)).toMatchObject([{ meta: { traceparent: "00-1" } }])
  })

  test("is judged before an expected version that has moved on", async () => {
    const stream = log.stream()
    const event = { ...base, id: id() }
    const first = await log.engine.emit(stream, event, { expected: "none" })
    await log.engine.emit(stream, { type: "Moved" })
    await expect(log.engine.emit(stream, event, { expected: "none" })).resolves.toEqual(first)
    await expect(
      log.engine.emit(stream, { ...event, type: "Other" }, { expected: "none" })
    ).rejects.toMatchObject({
      _tag: "DuplicateEvent"
    })
  })

  test("is no news to an append over several streams that is sent again", async () => {
    const [a, b] = [log.stream(), log.stream()]
    const [x, y, z] = [id(), id(), id()].map((given) => ({ id: given, type: "Done" })) as [
      NewEvent,
      NewEvent,
      NewEvent
    ]
    const parts = [
      { stream: b, events: [x, y], expected: "none" as const },
      { stream: a, events: z, expected: "none" as const }
    ]
    const first = await log.engine.emitAll(parts)
    expect(await log.engine.emitAll(parts)).toEqual(first)
    await expect(log.engine.emitAll(parts.toReversed())).rejects.toMatchObject({ _tag: "DuplicateEvent" })
    await expect(
      log.engine.emitAll([
        { stream: b, events: x },
        { stream: a, events: [z, { type: "More" }] }
      ])
    ).rejects.toMatchObject({ _tag: "DuplicateEvent" })
    expect(await traceOf(log.db, a)).toEqual({ events: 1, heads: 1 })
  })
})
