import { randomUUID } from "node:crypto"
import { afterAll, beforeAll, describe, expect, test } from "vitest"
import { VersionConflict } from "../../src/index.ts"
import { collector } from "../support/eventually.ts"
import { eventsOf, testLog, traceOf, upTo } from "../log/test-log.ts"

// An append in a transaction whose snapshot does not move cannot see what others committed since. It fails; it never appends twice.

const log = testLog()

const append = "select version from append_events($1, $2, 'any')"
const event = (id: string) => JSON.stringify([{ type: "Made", id }])

const SERIALIZATION_FAILURE = "40001"
const UNIQUE_VIOLATION = "23505"

describe.each(["repeatable read", "serializable"])("in a %s transaction", (level) => {
  const transaction = async () => {
    const session = await log.session()
    await session.query(`begin isolation level ${level}`)
    await session.query("select count(*) from log_events")
    return session
  }

  test("an append goes through where nobody else was there", async () => {
    const stream = log.stream()
    const session = await transaction()
    expect(await session.query(append, [stream, event(randomUUID())])).toEqual([{ version: "1" }])
    expect(await session.query(append, [stream, event(randomUUID())])).toEqual([{ version: "2" }])
    await session.query("commit")
    expect(await traceOf(log.db, stream)).toEqual({ events: 2, heads: 1 })
  })

  test.each(["there before", "new since"])(
    "an append to a stream that somebody else has moved fails with 40001, and is answered when it is sent again: it was %s",
    async (since) => {
      const [stream, id] = [log.stream(), randomUUID()]
      if (since === "there before") await log.engine.emit(stream, { type: "First" })
      const session = await transaction()
      await log.engine.emit(stream, { type: "Made", id })
      const before = await eventsOf(log.engine, stream)
      await expect(session.query(append, [stream, event(id)])).rejects.toMatchObject({
        code: SERIALIZATION_FAILURE
      })
      await session.query("rollback")
      expect(await eventsOf(log.engine, stream)).toEqual(before)
      expect(await session.query(append, [stream, event(id)])).toEqual([{ version: String(before.length) }])
    }
  )

  test("an id that somebody else has used in another stream since fails with 23505", async () => {
    const [stream, id] = [log.stream(), randomUUID()]
    const session = await transaction()
    await log.engine.emit(log.stream(), { type: "Made", id })
    await expect(session.query(append, [stream, event(id)])).rejects.toMatchObject({ code: UNIQUE_VIOLATION })
    await session.query("rollback")
    expect(await traceOf(log.db, stream)).toEqual({ events: 0, heads: 0 })
  })
})

describe.each(["repeatable read", "serializable"])("telemetry in a %s transaction", (level) => {
  const WIDTH = 10_000_000

  test("goes into a partition that others have made since its snapshot, and makes the one after", async () => {
    const [beat, other] = [log.stream("beat"), log.stream("beat")]
    await log.db.query("select tidemark.declare_category('beat', true)")
    await log.engine.emit(beat, { type: "Beat" })
    const [row] = await log.db.query<{ last: string }>(
      "select max(up_to) as last from tidemark.telemetry_partitions"
    )
    const last = Number(row!.last)
    const session = await log.session()
    await session.query(`begin isolation level ${level}`)
    await session.query("select count(*) from log_events")

    await log.db.query("select setval('tidemark.log_position', $1)", [last - 10])
    await log.engine.emit(other, { type: "Beat" })
    expect(await session.query(append, [beat, event(randomUUID())])).toEqual([{ version: "2" }])
    await log.db.query("select setval('tidemark.log_position', $1)", [last + WIDTH - 10])
    expect(await session.query(append, [beat, event(randomUUID())])).toEqual([{ version: "3" }])
    await session.query("commit")

    const made = await log.db.query<{ up_to: string }>(
      "select up_to from tidemark.telemetry_partitions where up_to > $1 order by up_to",
      [last]
    )
    expect(made.map(({ up_to }) => Number(up_to))).toEqual([last + WIDTH, last + 2 * WIDTH])
    expect(await traceOf(log.db, beat)).toEqual({ events: 3, heads: 1 })
    await log.engine.emit(beat, { type: "Beat" }, { expected: 3 })
  })
})

describe.each(["repeatable read", "serializable"])("where transactions are %s by default", (level) => {
  beforeAll(() =>
    log.db.query(`alter database ${log.db.name} set default_transaction_isolation = '${level}'`)
  )
  afterAll(() => log.db.query(`alter database ${log.db.name} reset default_transaction_isolation`))

  test("the engine's own are READ COMMITTED, and see what was committed meanwhile", async () => {
    const engine = await log.open()
    const stream = log.stream()
    const rows = await engine.transaction(async (tx) => {
      const { rows } = await tx.query("show transaction_isolation")
      await log.engine.emit(stream, { type: "Meanwhile" })
      tx.emit(stream, { type: "Paid" }, { expected: 1 })
      return rows
    })
    expect(rows).toEqual([{ transaction_isolation: "read committed" }])
    expect(await traceOf(log.db, stream)).toEqual({ events: 2, heads: 1 })
  })

  test("emitters of two processes in each other's way lose nothing, and are heard in order", async () => {
    const [engine, other] = [await log.open(), await log.open()]
    const streams = [log.stream(), log.stream()]
    const heard = collector<number>()
    const subscription = await engine.subscribe({ streams }, ({ position }) => heard.push(position))
    const placed = await Promise.all(
      upTo(8).map(async (n) => {
        const positions: Array<number> = []
        for (const m of upTo(20)) {
          const emitted = (n % 2 === 0 ? engine : other).emit(streams[m % 2]!, { type: "Made" })
          positions.push((await emitted).position)
        }
        return positions
      })
    )
    const all = placed.flat().toSorted((a, b) => a - b)
    expect(await heard.reaches(160)).toEqual(all)
    expect(new Set(all).size).toBe(160)
    for (const stream of streams)
      expect((await eventsOf(engine, stream)).map(({ version }) => version)).toEqual(upTo(80))
    await subscription.stop()
  })

  test("of several who expect the same version one succeeds, the others are told of the conflict", async () => {
    const engines = [await log.open(), await log.open()]
    for (const round of upTo(5)) {
      const stream = log.stream()
      const tries = await Promise.allSettled(
        upTo(8).map((n) =>
          engines[n % 2]!.emit(stream, { type: "Made", data: { round, n } }, { expected: "none" })
        )
      )
      const lost = tries.filter((one) => one.status === "rejected")
      expect(lost).toHaveLength(7)
      for (const { reason } of lost) {
        expect(reason).toBeInstanceOf(VersionConflict)
        expect(reason).toMatchObject({ actual: 1 })
      }
    }
  })

  test("an append from SQL that asks for nothing is made as the database says, and read_log refuses to guess", async () => {
    const session = await log.session()
    expect(await session.query(append, [log.stream(), event(randomUUID())])).toEqual([{ version: "1" }])
    await expect(session.query("select * from read_log()")).rejects.toMatchObject({ code: "TM003" })
  })

  test("read models fold each event once, and are read with one's own writes", async () => {
    const engine = await log.open()
    const names = upTo(10).map((n) => `${level.replace(" ", "-")}-${n}`)
    await Promise.all(names.map((agent) => engine.agents.register({ agent })))
    const listed = (await engine.agents.list()).map(({ agent }) => agent)
    expect(listed.filter((agent) => agent.startsWith(level.replace(" ", "-"))).toSorted()).toEqual(
      names.toSorted()
    )
  })
})
