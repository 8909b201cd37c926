import { randomUUID } from "node:crypto"
import { beforeAll, describe, expect, test } from "vitest"
import { DuplicateEvent, VersionConflict } from "../../../src/index.ts"
import { collector } from "../../support/eventually.ts"
import { eventsOf, testLog, traceOf, upTo } from "../test-log.ts"

// Rule A9: a category is durable or telemetry; telemetry lives in partitions by position, guarded by its heads.

const log = testLog()

const width = 10_000_000

beforeAll(() => log.db.query("select tidemark.declare_category('beat', true)"))

const partitions = async () =>
  (
    await log.db.query<{ name: string; up_to: string }>(
      "select name, up_to from tidemark.telemetry_partitions order by up_to"
    )
  ).map(({ name, up_to }) => [name, Number(up_to)] as const)

const tables = async () =>
  (
    await log.db.query<{ name: string }>(
      "select inhrelid::regclass::text as name from pg_inherits where inhparent = 'tidemark.telemetry'::regclass order by 1"
    )
  ).map(({ name }) => name.replace(/^tidemark\./, ""))

const tableOf = async (stream: string) =>
  (
    await log.db.query<{ name: string }>(
      "select tableoid::regclass::text as name from tidemark.telemetry where stream = $1",
      [stream]
    )
  ).map(({ name }) => name.replace(/^tidemark\./, ""))

describe("a telemetry event", () => {
  test("lies in a partition, and is read and followed as any other", async () => {
    const [beat, order] = [log.stream("beat"), log.stream()]
    const heard = collector<string>()
    const subscription = await log.engine.subscribe({ streams: [beat, order] }, ({ stream }) =>
      heard.push(stream)
    )
    await log.engine.emit(beat, { type: "Beat", data: { n: 1 } })
    await log.engine.emitAll([
      { stream: order, events: { type: "Made" } },
      { stream: beat, events: { type: "Beat" } }
    ])
    expect(await heard.reaches(3)).toEqual([beat, order, beat])
    await subscription.stop()
    expect(await tableOf(beat)).toEqual(["telemetry_0", "telemetry_0"])
    expect(await eventsOf(log.engine, beat)).toMatchObject([{ version: 1, data: { n: 1 } }, { version: 2 }])
    expect(await log.db.query("select from tidemark.events where stream = $1", [beat])).toEqual([])
  })

  test("keeps its versions without a hole, whoever emits", async () => {
    const beat = log.stream("beat")
    const other = await log.open()
    await Promise.all(upTo(40).map((n) => (n % 2 === 0 ? log.engine : other).emit(beat, { type: "Beat" })))
    expect((await eventsOf(log.engine, beat)).map(({ version }) => version)).toEqual(upTo(40))
    await expect(log.engine.emit(beat, { type: "Beat" }, { expected: 3 })).rejects.toBeInstanceOf(
      VersionConflict
    )
  })

  test("is appended once, however often and from wherever it is sent", async () => {
    const beat = log.stream("beat")
    const other = await log.open()
    const event = { id: randomUUID(), type: "Beat", data: { n: 1 } }
    const all = await Promise.all(upTo(10).map((n) => (n % 2 === 0 ? log.engine : other).emit(beat, event)))
    expect(new Set(all.map(({ position }) => position)).size).toBe(1)
    expect(await eventsOf(log.engine, beat)).toHaveLength(1)
    await expect(log.engine.emit(beat, { ...event, data: { n: 2 } })).rejects.toBeInstanceOf(DuplicateEvent)
    await expect(log.engine.emit(log.stream("beat"), event)).rejects.toBeInstanceOf(DuplicateEvent)
  })

  test("cannot have the id of a durable event, alone or in a batch, whose other events go through", async () => {
    const [order, beat, id] = [log.stream(), log.stream("beat"), randomUUID()]
    const made = await log.engine.emit(order, { type: "Made", id })
    await expect(log.engine.emit(beat, { type: "Made", id })).rejects.toBeInstanceOf(DuplicateEvent)
    const [taken, fresh, again] = await Promise.allSettled([
      log.engine.emit(beat, { type: "Beat", id }),
      log.engine.emit(beat, { type: "Beat" }),
      log.engine.emit(order, { type: "Made", id })
    ])
    expect(taken).toMatchObject({ reason: { _tag: "DuplicateEvent" } })
    expect(fresh).toMatchObject({ value: { version: 1 } })
    expect(again).toMatchObject({ value: { position: made.position } })
  })

  test("does not fail for its neighbour in the batch, in whatever place that stands", async () => {
    const taken = log.stream("beat")
    const sent = { id: randomUUID(), type: "Beat" }
    await log.engine.emit(taken, sent)
    for (const place of [0, 1, 2]) {
      const batch = upTo(2).map(() => () => log.engine.emit(log.stream("beat"), { type: "Beat" }))
      batch.splice(place, 0, () => log.engine.emit(taken, { type: "Beat" }, { expected: "none" }))
      const results = await Promise.allSettled(batch.map((emit) => emit()))
      expect(results.map(({ status }) => status).filter((status) => status === "fulfilled")).toHaveLength(2)
      expect(results[place]).toMatchObject({ reason: { _tag: "VersionConflict" } })
    }
    const [fresh, again] = await Promise.all([
      log.engine.emit(log.stream("beat"), { type: "Beat" }),
      log.engine.emit(taken, sent)
    ])
    expect(again.position).toBeLessThan(fresh.position)
    expect(await partitions()).toEqual([
      ["telemetry_0", width],
      ["telemetry_1", 2 * width]
    ])
  })
})

describe("the class of a category", () => {
  test("is durable unless declared, and fixed by its first event", async () => {
    const durable = log.stream("plain")
    await log.engine.emit(durable, { type: "Made" })
    const declaring = log.db.query("select tidemark.declare_category('plain', true)")
    await expect(declaring).rejects.toMatchObject({ code: "TM004" })
    await expect(declaring).rejects.toMatchObject({
      detail: JSON.stringify({ category: "plain", telemetry: false }).replaceAll(":", ": ").replace(",", ", ")
    })
    await log.engine.emit(log.stream("beat"), { type: "Beat" })
    await expect(log.db.query("select tidemark.declare_category('beat', false)")).rejects.toMatchObject({
      code: "TM004"
    })
  })

  test("may be declared again, and changed before the first event", async () => {
    const telemetry = "select telemetry from tidemark.categories where category = 'pulse'"
    await log.db.query(
      "select tidemark.declare_category('pulse', true), tidemark.declare_category('pulse', true)"
    )
    expect(await log.db.query(telemetry)).toEqual([{ telemetry: true }])
    await log.db.query("select tidemark.declare_category('pulse', false)")
    expect(await log.db.query(telemetry)).toEqual([{ telemetry: false }])
  })

  test("is not taken for that of a category with a longer name", async () => {
    await log.engine.emit(log.stream("pulses"), { type: "Made" })
    await log.engine.emit(log.stream("pulse.x"), { type: "Made" })
    await log.db.query("select tidemark.declare_category('pulse', true)")
    await log.engine.emit(log.stream("pulse"), { type: "Beat" })
    expect(await tableOf(log.stream("pulse"))).toEqual([])
  })
})

describe("telemetry partitions", () => {
  const jumpTo = (position: number) => log.db.query("select setval('tidemark.log_position', $1)", [position])

  test("are added one ahead as positions grow, and appends of many at once agree on them", async () => {
    await jumpTo(2 * width - 20)
    const other = await log.open()
    await Promise.all(
      upTo(60).map((n) => (n % 2 === 0 ? log.engine : other).emit(log.stream("beat"), { type: "Beat" }))
    )
    expect((await partitions()).map(([name]) => name)).toEqual([
      "telemetry_0",
      "telemetry_1",
      "telemetry_2",
      "telemetry_3"
    ])
    expect(await tables()).toEqual((await partitions()).map(([name]) => name))
  })

  test("of a stretch that positions leapt over are not made", async () => {
    const before = (await partitions()).length
    await jumpTo(2 ** 48)
    const beat = log.stream("beat")
    const { position } = await log.engine.emit(beat, { type: "Beat" })
    expect(position).toBe(2 ** 48 + 1)
    const added = (await partitions()).slice(before)
    // One of them may have been made ahead of where the log was before.
    expect(added.length).toBeLessThanOrEqual(4)
    expect(
      added.some(([name, upTo]) => name === `telemetry_${Math.floor(position / width)}` && upTo > position)
    ).toBe(true)
    expect(await eventsOf(log.engine, beat)).toHaveLength(1)
  })

  test("may be dropped, and the streams go on with their next version", async () => {
    const beat = log.stream("beat")
    await log.engine.emit(beat, [{ type: "Beat" }, { type: "Beat" }])
    const [partition] = await tableOf(beat)
    await jumpTo(2 ** 48 + 3 * width)
    await log.engine.emit(log.stream("beat"), { type: "Beat" })
    await log.db.query(`drop table tidemark.${partition}`)
    await log.db.query("delete from tidemark.telemetry_partitions where name = $1", [partition])
    expect(await traceOf(log.db, beat)).toEqual({ events: 0, heads: 1 })
    await expect(log.engine.emit(beat, { type: "Beat" })).resolves.toMatchObject({ version: 3 })
    expect((await eventsOf(log.engine, beat)).map(({ version }) => version)).toEqual([3])
  })
})
