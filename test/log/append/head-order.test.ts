import { randomUUID } from "node:crypto"
import { describe, expect, test } from "vitest"
import type { Session } from "../test-log.ts"
import { somebodyWaits, testLog, traceOf, upTo } from "../test-log.ts"

// Rule A1: whoever appends to several streams locks their heads in one order, so that two never wait for each other.
// Rule A10: labels lock nothing.

const log = testLog()

const LOCK_NOT_AVAILABLE = "55P03"

/** Appends an event to each of the streams, in sorted order, waiting `patience` ms for each lock. */
const append = (session: Session, streams: ReadonlyArray<string>, patience: number | null = null) =>
  session.query(`select verdicts from append_batch($1, $2, $2, $3, $4, $5, $6, $7, $6, $2, $8)`, [
    streams,
    upTo(streams.length),
    streams.map(() => null),
    streams.map(() => randomUUID()),
    streams.map(() => "Made"),
    streams.map(() => "{}"),
    streams.map(() => "{}"),
    patience
  ])

describe.each(["there already", "made by the append"])("heads that are %s", (kind) => {
  const three = async () => {
    const prefix = log.stream()
    const streams = ["a", "b", "c"].map((letter) => `${prefix}-${letter}`)
    if (kind === "there already")
      for (const stream of streams) await log.engine.emit(stream, { type: "First" })
    return streams as [string, string, string]
  }

  test("are locked in the order of their names: while one is waited for, those before it are held, those after it are free", async () => {
    const [a, b, c] = await three()
    const [holder, waiter, third] = [await log.session(), await log.session(), await log.session()]
    await holder.query("begin")
    await append(holder, [b])
    const waiting = append(waiter, [a, b, c])
    await somebodyWaits(log.db)

    await expect(append(third, [a], 50)).rejects.toMatchObject({ code: LOCK_NOT_AVAILABLE })
    await third.query("begin")
    expect(await append(third, [c], 50)).toEqual([{ verdicts: null }])
    await third.query("rollback")

    await holder.query("commit")
    await waiting
    for (const stream of [a, b, c]) expect((await traceOf(log.db, stream)).events).toBeGreaterThan(0)
  })

  test("named in any other order are refused", async () => {
    const [a, b] = await three()
    const session = await log.session()
    await expect(append(session, [b, a])).rejects.toMatchObject({ code: "TM006" })
    await expect(append(session, [a, a])).rejects.toMatchObject({ code: "TM006" })
  })

  test.each([[[1, 7]], [[0, 1]], [[1, null]]])(
    "numbered %j are refused: nothing is said to be appended that is not",
    async (numbers) => {
      const [a] = await three()
      const session = await log.session()
      const before = await traceOf(log.db, a)
      const numbered = session.query(
        `select from append_batch($1, '{1,2}', $2, '{null,null}', $3, '{Made,Made}', '{"{}","{}"}', '{"{}","{}"}', '{"{}","{}"}', '{1,1}', null)`,
        [[a], numbers, [randomUUID(), randomUUID()]]
      )
      await expect(numbered).rejects.toMatchObject({ code: "TM006" })
      expect(await traceOf(log.db, a)).toEqual(before)
    }
  )
})

test("appends over the same streams in opposite orders never wait for each other", async () => {
  const deadlocks = async () => {
    await log.db.query("select pg_stat_force_next_flush()")
    const [row] = await log.db.query<{ n: string }>(
      "select pg_stat_get_db_deadlocks(oid) as n from pg_database where datname = current_database()"
    )
    return row!.n
  }
  const [one, other] = [log.stream(), log.stream()]
  const part = (stream: string) => ({ stream, events: { type: "Made" } })
  const engine = await log.open()
  const before = await deadlocks()
  await Promise.all(
    upTo(60).map(async (n) => {
      const streams = n % 2 === 0 ? [one, other] : [other, one]
      const by = n % 4 < 2 ? log.engine : engine
      if (n % 3 > 0) return by.emitAll(streams.map(part))
      return by.transaction(async (tx) => {
        for (const stream of streams) tx.emit(stream, { type: "Made" })
      })
    })
  )
  expect(await deadlocks()).toBe(before)
  for (const stream of [one, other]) expect(await traceOf(log.db, stream)).toEqual({ events: 60, heads: 1 })
})

describe("labels", () => {
  const locks = `select locktype, relation::regclass::text as relation, mode, count(*)::integer as n
    from pg_locks where pid = pg_backend_pid() group by 1, 2, 3 order by 1, 2, 3`
  const appended = async (session: Session, stream: string, labels: ReadonlyArray<string>) =>
    session.query("select version from append_events($1, $2)", [
      stream,
      JSON.stringify([{ type: "Made", labels }])
    ])

  test("hold nothing: not a lock more than without them, and no other append with the same", async () => {
    const labels = ["run:42", "task:9"]
    const [holder, bare] = [await log.session(), await log.session()]
    const [one, other, third] = [log.stream(), log.stream(), log.stream()]
    for (const [session, given] of [
      [holder, labels],
      [bare, []]
    ] as const) {
      await session.query("begin")
      await appended(session, session === holder ? one : other, given)
    }
    expect(await holder.query(locks)).toEqual(await bare.query(locks))
    const session = await log.session()
    await session.query("set lock_timeout = 50")
    expect(await appended(session, third, labels)).toEqual([{ version: "1" }])
    await log.engine.emit(third, { type: "Made", labels }, { expected: 1 })
    await holder.query("rollback")
    await bare.query("rollback")
  })
})
