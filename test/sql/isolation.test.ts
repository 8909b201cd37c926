import { randomUUID } from "node:crypto"
import { describe, expect, test } from "vitest"
import { eventsOf, testLog, traceOf } from "../log/test-log.ts"

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

describe("where transactions are serializable by default", () => {
  test("the engine's own are READ COMMITTED, and see what was committed meanwhile", async () => {
    await log.db.query(`alter database ${log.db.name} set default_transaction_isolation = 'serializable'`)
    try {
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
    } finally {
      await log.db.query(`alter database ${log.db.name} reset default_transaction_isolation`)
    }
  })
})
