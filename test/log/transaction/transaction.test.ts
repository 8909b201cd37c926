import { randomUUID } from "node:crypto"
import { afterAll, beforeAll, describe, expect, test } from "vitest"
import { DuplicateEvent, InvalidEvent, RolledBack, VersionConflict } from "../../../src/index.ts"
import { deferred, until } from "../../support/eventually.ts"
import { eventsOf, testLog, traceOf, upTo } from "../test-log.ts"

// Rules A7 and A8.

const log = testLog()

beforeAll(() => log.db.query("create table paid (nth integer primary key)"))
afterAll(() => log.db.query("drop table paid"))

const paid = async (nth: number) =>
  (await log.db.query("select from public.paid where nth = $1", [nth])).length === 1

describe("a transaction", () => {
  test("commits the caller's writes and events together", async () => {
    const [stream, other] = [log.stream(), log.stream()]
    const answer = await log.engine.transaction(async (tx) => {
      await tx.query("insert into public.paid values ($1)", [1])
      tx.emit(stream, { type: "Paid" }, { meta: { actor: "till" }, expected: "none" })
      tx.emit(other, [{ type: "Paid" }, { type: "Paid" }])
      tx.emit(stream, { type: "Thanked" })
      expect(await traceOf(log.db, stream)).toEqual({ events: 0, heads: 0 })
      return "done"
    })
    expect(answer).toBe("done")
    expect(await paid(1)).toBe(true)
    const events = await eventsOf(log.engine, stream)
    expect(events.map(({ type }) => type)).toEqual(["Paid", "Thanked"])
    expect(events[0]!.meta).toEqual({ actor: "till" })
    expect(await eventsOf(log.engine, other)).toHaveLength(2)
  })

  test("leaves nothing when its body throws, not even what it has flushed", async () => {
    const stream = log.stream()
    const failing = log.engine.transaction(async (tx) => {
      await tx.query("insert into public.paid values ($1)", [2])
      tx.emit(stream, { type: "Lost" })
      await tx.flush()
      tx.emit(stream, { type: "Lost" })
      throw new RangeError("changed my mind")
    })
    await expect(failing).rejects.toThrow(new RangeError("changed my mind"))
    expect(await paid(2)).toBe(false)
    expect(await traceOf(log.db, stream)).toEqual({ events: 0, heads: 0 })
    await expect(log.engine.emit(stream, { type: "Free" })).resolves.toMatchObject({ version: 1 })
  })

  test("tells on request, before it commits, where its events come to lie", async () => {
    const stream = log.stream()
    await log.engine.transaction(async (tx) => {
      tx.emit(stream, { type: "One" })
      const [first] = await tx.flush()
      expect(first).toMatchObject({ stream, events: [{ version: 1 }] })
      expect(await tx.flush()).toEqual([])
      tx.emit(stream, { type: "Two" }, { expected: 1 })
      const { rows } = await tx.query("select from tidemark.events where stream = $1", [stream])
      expect(rows).toHaveLength(1)
    })
    expect((await eventsOf(log.engine, stream)).map(({ version }) => version)).toEqual(upTo(2))
  })

  test("fails as a whole when a stream is not as expected at its end", async () => {
    const stream = log.stream()
    await log.engine.emit(stream, { type: "Before" })
    const failing = log.engine.transaction(async (tx) => {
      await tx.query("insert into public.paid values ($1)", [3])
      tx.emit(stream, { type: "Lost" }, { expected: "none" })
    })
    await expect(failing).rejects.toBeInstanceOf(VersionConflict)
    await expect(failing).rejects.toMatchObject({ stream, expected: "none", actual: 1 })
    expect(await paid(3)).toBe(false)
    expect(await eventsOf(log.engine, stream)).toHaveLength(1)
  })

  test("throws at the emit itself what is wrong with it, and goes on if the caller does", async () => {
    const stream = log.stream()
    await log.engine.transaction(async (tx) => {
      expect(() => tx.emit(stream, { type: "Bad", data: { n: Number.NaN } })).toThrow(InvalidEvent)
      expect(() => tx.emit(stream, { type: "no type" })).toThrow(
        expect.objectContaining({ _tag: "InvalidName" })
      )
      tx.emit(stream, { type: "Fine" })
      expect(() => tx.emit(stream, { type: "Bad" }, { expected: "none" })).toThrow(VersionConflict)
    })
    expect(await eventsOf(log.engine, stream)).toMatchObject([{ type: "Fine" }])
  })

  test.each(["order", "beat"])("refuses an id that it emits twice (category %s)", async (category) => {
    if (category === "beat") await log.db.query("select tidemark.declare_category('beat', true)")
    const [stream, other] = [log.stream(category), log.stream(category)]
    const event = { id: randomUUID(), type: "Paid" }
    const twice = (second: string) =>
      log.engine.transaction(async (tx) => {
        tx.emit(stream, event)
        tx.emit(second, event)
      })
    for (const second of [stream, other]) {
      await expect(twice(second)).rejects.toBeInstanceOf(DuplicateEvent)
      expect(await traceOf(log.db, stream)).toEqual({ events: 0, heads: 0 })
    }
  })

  test("is an idempotent append where its events are in the log already", async () => {
    const stream = log.stream()
    const events = [
      { id: randomUUID(), type: "A" },
      { id: randomUUID(), type: "B" }
    ]
    const first = await log.engine.emit(stream, events)
    await log.engine.transaction(async (tx) => {
      for (const event of events) tx.emit(stream, event)
      expect(await tx.flush()).toMatchObject([{ events: [first.events[0]] }, { events: [first.events[1]] }])
    })
    expect(await eventsOf(log.engine, stream)).toHaveLength(2)
  })

  test("that PostgreSQL turned into a ROLLBACK is reported as RolledBack", async () => {
    const swallowing = (emit: boolean) =>
      log.engine.transaction(async (tx) => {
        await tx.query("insert into public.paid values ($1)", [4])
        if (emit) tx.emit(log.stream(), { type: "Lost" })
        await tx.query("select 1 / 0").catch(() => {})
      })
    await expect(swallowing(false)).rejects.toBeInstanceOf(RolledBack)
    await expect(swallowing(true)).rejects.toBeInstanceOf(RolledBack)
    expect(await paid(4)).toBe(false)
  })

  test("is not run a second time, whatever it failed with", async () => {
    let runs = 0
    const failing = log.engine.transaction(async (tx) => {
      runs += 1
      await tx.query("do $$ begin raise exception 'sorry' using errcode = '40001'; end $$")
    })
    await expect(failing).rejects.toMatchObject({ _tag: "Contention" })
    expect(runs).toBe(1)
  })

  test("wakes the engine's subscriptions once it is committed", async () => {
    const stream = log.stream()
    const heard = deferred<number>()
    const subscription = await log.engine.subscribe({ streams: [stream] }, (event) =>
      heard.resolve(event.position)
    )
    await log.engine.transaction(async (tx) => tx.emit(stream, { type: "Paid" }))
    expect(await heard.promise).toBe((await eventsOf(log.engine, stream))[0]!.position)
    await subscription.stop()
  })
})

test("transactions that emit to the same streams in opposite orders do not deadlock, nor make a batch their victim", async () => {
  const [a, b] = [log.stream("a"), log.stream("b")]
  for (const one of [a, b]) await log.engine.emit(one, { type: "Before" })
  const bothEmitted = deferred()
  let emitted = 0
  const inOrder = (first: string, second: string) =>
    log.engine.transaction(async (tx) => {
      tx.emit(first, { type: "Done" })
      tx.emit(second, { type: "Done" })
      if ((emitted += 1) === 2) bothEmitted.resolve()
      await bothEmitted.promise
    })
  await Promise.all([
    inOrder(a, b),
    inOrder(b, a),
    ...upTo(5).map(() => log.engine.emit(a, { type: "Batched" })),
    ...upTo(5).map(() => log.engine.emit(b, { type: "Batched" }))
  ])
  for (const one of [a, b])
    expect((await eventsOf(log.engine, one)).map(({ version }) => version)).toEqual(upTo(8))
})

test("while a transaction only queues, its streams are free and readers of the log do not wait", async () => {
  const stream = log.stream()
  const [queued, release] = [deferred(), deferred()]
  const transaction = log.engine.transaction(async (tx) => {
    tx.emit(stream, { type: "Queued" })
    await tx.query("insert into public.paid values ($1)", [5])
    queued.resolve()
    await release.promise
  })
  await queued.promise
  const { position } = await log.engine.emit(stream, { type: "Meanwhile" })
  await until(async () => (await log.engine.settled()) >= position)
  release.resolve()
  await transaction
  expect((await eventsOf(log.engine, stream)).map(({ type }) => type)).toEqual(["Meanwhile", "Queued"])
})
