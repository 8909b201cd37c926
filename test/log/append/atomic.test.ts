import { describe, expect, test } from "vitest"
import { InvalidEvent, InvalidName, VersionConflict } from "../../../src/index.ts"
import { eventsOf, testLog, traceOf, upTo } from "../test-log.ts"

const log = testLog()

const recordedAt = async (stream: string) => (await eventsOf(log.engine, stream))[0]?.recordedAt.getTime()

describe("an append over several streams", () => {
  test("is made as a whole, in the order of its parts, and answers by part", async () => {
    const [first, second] = [log.stream("b"), log.stream("a")]
    const appended = await log.engine.emitAll([
      { stream: first, events: [{ type: "One" }, { type: "Two" }], expected: "none" },
      { stream: second, events: { type: "Three" } }
    ])
    expect(appended.map(({ stream, version }) => [stream, version])).toEqual([
      [first, 2],
      [second, 1]
    ])
    const positions = appended.flatMap(({ events }) => events.map(({ position }) => position))
    expect(positions).toEqual(upTo(3).map((n) => positions[0]! + n - 1))
    expect(appended.map(({ position }) => position)).toEqual([positions[1], positions[2]])
  })

  test("leaves no trace when one of its streams is not as expected, not even a head", async () => {
    const [fresh, taken, another] = [log.stream(), log.stream(), log.stream()]
    await log.engine.emit(taken, { type: "Taken" })
    const failure = log.engine.emitAll([
      { stream: fresh, events: { type: "Lost" } },
      { stream: taken, events: { type: "Lost" }, expected: "none" },
      { stream: another, events: { type: "Lost" }, expected: "none" }
    ])
    await expect(failure).rejects.toMatchObject({ stream: taken, expected: "none", actual: 1 })
    await expect(failure).rejects.toBeInstanceOf(VersionConflict)
    expect(await traceOf(log.db, fresh)).toEqual({ events: 0, heads: 0 })
    expect(await traceOf(log.db, another)).toEqual({ events: 0, heads: 0 })
    expect(await traceOf(log.db, taken)).toEqual({ events: 1, heads: 1 })
  })

  test("is refused when it expects something of a stream that is not written yet", async () => {
    const [written, unwritten] = [log.stream(), log.stream()]
    await expect(
      log.engine.emitAll([
        { stream: written, events: { type: "Lost" } },
        { stream: unwritten, events: { type: "Lost" }, expected: "exists" }
      ])
    ).rejects.toMatchObject({ stream: unwritten, expected: "exists", actual: 0 })
    expect(await traceOf(log.db, written)).toEqual({ events: 0, heads: 0 })
  })

  test("is refused when it names a stream twice, or none, or no event", async () => {
    const stream = log.stream()
    const event = { type: "Lost" }
    for (const parts of [
      [
        { stream, events: event },
        { stream, events: event }
      ],
      [],
      [{ stream, events: [] }]
    ]) {
      await expect(log.engine.emitAll(parts)).rejects.toMatchObject({ _tag: "InvalidArgument" })
    }
    expect(await traceOf(log.db, stream)).toEqual({ events: 0, heads: 0 })
  })

  test("that meets another over the same streams in the other order, both come through", async () => {
    const [a, b] = [log.stream(), log.stream()]
    const other = await log.open()
    const there = [a, b].map((stream) => ({ stream, events: { type: "There" } }))
    await Promise.all(upTo(20).flatMap(() => [log.engine.emitAll(there), other.emitAll(there.toReversed())]))
    expect((await eventsOf(log.engine, a)).map(({ version }) => version)).toEqual(upTo(40))
  })
})

describe("among appends that share a batch", () => {
  test("a conflict fails its own caller and nobody else", async () => {
    const [taken, ...others] = [log.stream(), log.stream(), log.stream(), log.stream()]
    await log.engine.emit(taken!, { type: "Taken" })
    const results = await Promise.allSettled([
      log.engine.emit(others[0]!, { type: "Fine" }),
      log.engine.emit(taken!, { type: "Lost" }, { expected: "none" }),
      log.engine.emit(others[1]!, [{ type: "Fine" }, { type: "Fine" }], { expected: "none" }),
      log.engine.emit(others[2]!, { type: "Lost" }, { expected: "exists" })
    ])
    expect(results.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "fulfilled", "rejected"])
    expect(await recordedAt(others[0]!)).toBe(await recordedAt(others[1]!))
    expect(await traceOf(log.db, others[2]!)).toEqual({ events: 0, heads: 0 })
    const positions = (await eventsOf(log.engine, others[1]!)).map(({ position }) => position)
    expect(positions[1]).toBe(positions[0]! + 1)
  })

  test("a bad event fails its own caller and nobody else", async () => {
    const streams = [log.stream(), log.stream(), log.stream()] as const
    const results = await Promise.allSettled([
      log.engine.emit(streams[0], { type: "Fine" }),
      log.engine.emit(streams[1], { type: "Bad", data: { text: "\0" } }),
      log.engine.emit("no stream", { type: "Bad" }),
      log.engine.emit(streams[2], { type: "Fine" })
    ])
    expect(results.map((one) => (one.status === "rejected" ? one.reason.constructor : "fine"))).toEqual([
      "fine",
      InvalidEvent,
      InvalidName,
      "fine"
    ])
    expect(await recordedAt(streams[0])).toBe(await recordedAt(streams[2]))
  })

  test("an event that only the server refuses fails its own caller and nobody else", async () => {
    const streams = [log.stream(), log.stream("refused"), log.stream()] as const
    await log.db.query(
      "alter table tidemark.events add constraint refusing check (type <> 'RefusedByServer') not valid"
    )
    try {
      const results = await Promise.allSettled([
        log.engine.emit(streams[0], { type: "Fine" }),
        log.engine.emit(streams[1], { type: "RefusedByServer" }),
        log.engine.emit(streams[2], { type: "Fine" })
      ])
      expect(results.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "fulfilled"])
    } finally {
      await log.db.query("alter table tidemark.events drop constraint refusing")
    }
    expect(await traceOf(log.db, streams[1])).toEqual({ events: 0, heads: 0 })
  })
})
