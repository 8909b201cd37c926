import { Schema } from "effect"
import { describe, expect, test } from "vitest"
import { type Event, eventType, InvalidEvent, UpcastFailed } from "../../../src/index.ts"
import { collector } from "../../support/eventually.ts"
import { eventsOf, testLog } from "../test-log.ts"

const TaskDone = eventType("TaskDone", Schema.Struct({ task: Schema.String, ms: Schema.Finite }), {
  schemaVersion: 3,
  upcasts: {
    1: (data) => ({ ...(data as object), seconds: (data as { minutes: number }).minutes * 60 }),
    2: (data) => ({ task: (data as { task: string }).task, ms: (data as { seconds: number }).seconds * 1000 })
  }
})

const Gap = eventType("Gap", Schema.Struct({}), { schemaVersion: 3, upcasts: { 1: (data) => data } })
const Broken = eventType("Broken", Schema.Struct({}), {
  schemaVersion: 2,
  upcasts: {
    1: () => {
      throw new RangeError("out of range")
    }
  }
})

const log = testLog({ events: [TaskDone, Gap, Broken] })

const old = (stream: string, type: string, schemaVersion: number, data: unknown) =>
  log.db.query("select tidemark.append_events($1, jsonb_build_array($2::jsonb))", [
    stream,
    JSON.stringify({ type, data, schemaVersion })
  ])

describe("a declared type", () => {
  test("gives its current version to what is emitted without one", async () => {
    const stream = log.stream()
    await log.engine.emit(stream, TaskDone.make({ task: "a", ms: 7 }))
    expect(await eventsOf(log.engine, stream)).toMatchObject([
      { type: "TaskDone", schemaVersion: 3, data: { task: "a", ms: 7 } }
    ])
  })

  test.each<readonly [string, unknown]>([
    ["a field is missing", { task: "a" }],
    ["a field is of another kind", { task: "a", ms: "7" }],
    ["it is no object", 7],
    ["there is none", undefined]
  ])("is checked at emit: %s", async (_, data) => {
    const stream = log.stream()
    const failure = await log.engine.emit(stream, { type: "TaskDone", data }).catch((error) => error)
    expect(failure).toBeInstanceOf(InvalidEvent)
    expect(failure.message).toContain("not what the type declares")
    expect(await eventsOf(log.engine, stream)).toEqual([])
  })

  test("is checked in a transaction and in an append over several streams too", async () => {
    const bad = { type: "TaskDone", data: {} }
    await expect(log.engine.emitAll([{ stream: log.stream(), events: bad }])).rejects.toBeInstanceOf(
      InvalidEvent
    )
    await expect(log.engine.transaction(async (tx) => tx.emit(log.stream(), bad))).rejects.toBeInstanceOf(
      InvalidEvent
    )
  })

  test("keeps what is emitted of an older version as it is, unchecked", async () => {
    const stream = log.stream()
    await log.engine.emit(stream, { type: "TaskDone", data: { task: "a", minutes: 2 }, schemaVersion: 1 })
    expect(await log.db.query("select data, schema_version from tidemark.read_stream($1)", [stream])).toEqual(
      [{ data: { task: "a", minutes: 2 }, schema_version: 1 }]
    )
  })

  test("is read at its current version, whatever version was stored, in every way of reading", async () => {
    const stream = log.stream()
    const heard = collector<Event>()
    const live = await log.engine.subscribe({ streams: [stream] }, heard.push)
    await old(stream, "TaskDone", 1, { task: "a", minutes: 2 })
    await old(stream, "TaskDone", 2, { task: "b", seconds: 3 })
    await log.engine.emit(stream, TaskDone.make({ task: "c", ms: 7 }))
    const current = [
      { schemaVersion: 3, data: { task: "a", ms: 120_000 } },
      { schemaVersion: 3, data: { task: "b", ms: 3_000 } },
      { schemaVersion: 3, data: { task: "c", ms: 7 } }
    ]
    expect(await eventsOf(log.engine, stream)).toMatchObject(current)
    expect(await heard.reaches(3)).toMatchObject(current)
    const again = collector<Event>()
    const catchingUp = await log.engine.subscribe({ from: "start", streams: [stream] }, again.push)
    expect(await again.reaches(3)).toEqual(heard.items)
    expect(TaskDone.is(again.items[0]!)).toBe(true)
    await Promise.all([live.stop(), catchingUp.stop()])
  })

  test("of a newer version than declared is readable as it is", async () => {
    const stream = log.stream()
    await old(stream, "TaskDone", 4, { from: "the future" })
    expect(await eventsOf(log.engine, stream)).toMatchObject([
      { schemaVersion: 4, data: { from: "the future" } }
    ])
  })
})

test("a type that is declared twice, with another schema or version, is refused when a log opens", async () => {
  const twice = eventType("TaskDone", Schema.Struct({}), { schemaVersion: 3 })
  await expect(log.open({ events: [TaskDone, TaskDone, twice] })).rejects.toMatchObject({
    _tag: "InvalidArgument",
    problem: expect.stringContaining("TaskDone")
  })
  await log.open({ events: [TaskDone, TaskDone] })
})

test("a type that nobody declared is emitted unchecked and read as it is", async () => {
  const stream = log.stream()
  await log.engine.emit(stream, { type: "Whatever", data: { any: ["thing", 1] }, schemaVersion: 9 })
  expect(await eventsOf(log.engine, stream)).toMatchObject([
    { schemaVersion: 9, data: { any: ["thing", 1] } }
  ])
})

describe("an event that cannot be brought to its current version", () => {
  test.each([
    ["Broken", 1, "out of range"],
    ["Gap", 1, "there is no upcast from version 2"]
  ])("fails its reader with UpcastFailed, which names it: %s", async (type, schemaVersion, detail) => {
    const stream = log.stream()
    await log.engine.emit(stream, { type: "Fine" })
    await old(stream, type, schemaVersion, {})
    const [stored] = await log.db.query<{ position: string }>(
      "select position from tidemark.read_stream($1, 2)",
      [stream]
    )
    const facts = { position: Number(stored!.position), type, schemaVersion, detail }
    const failure = await eventsOf(log.engine, stream).catch((error) => error)
    expect(failure).toBeInstanceOf(UpcastFailed)
    expect(failure).toMatchObject(facts)
  })

  test("stops the subscription before it, and no other", async () => {
    const stream = log.stream()
    const heard: Array<string> = []
    const failing = await log.engine.subscribe({ streams: [stream] }, ({ type }) => heard.push(type))
    const other = collector<string>()
    const fine = await log.engine.subscribe({ streams: [stream], types: ["Fine"] }, ({ type }) =>
      other.push(type)
    )
    await log.engine.emit(stream, { type: "Fine" })
    await old(stream, "Broken", 1, {})
    await log.engine.emit(stream, { type: "Fine" })
    await expect(failing.done).rejects.toBeInstanceOf(UpcastFailed)
    expect(heard).toEqual(["Fine"])
    await other.reaches(2)
    await Promise.all([failing.stop(), fine.stop()])
  })
})

test("an event of a newer version than the declared one is refused at emit: nobody here knows what it says", async () => {
  await expect(
    log.engine.emit(log.stream(), { type: "TaskDone", data: { task: "a", ms: 7 }, schemaVersion: 4 })
  ).rejects.toMatchObject({
    _tag: "InvalidEvent",
    problem: expect.stringContaining("newer than the declared one, 3")
  })
})
