import { afterEach, describe, expect, test } from "vitest"
import type { Event } from "../../../src/index.ts"
import { collector, inTime, until } from "../../support/eventually.ts"
import { openSession, type Session, testLog, upTo } from "../test-log.ts"

// What open transactions do to a reader, on a real server; T1 to T5 are named after the experiments that broke others.

const log = testLog()

const follow = async (from: "now" | number = "now") => {
  const heard = collector<string>()
  const subscription = await log.engine.subscribe({ from }, ({ type, position }: Event) =>
    heard.push(`${type}@${position}`)
  )
  return {
    heard: heard.items,
    /** The types heard, as soon as there are so many. */
    hears: async (count: number) => (await heard.reaches(count)).map((one) => one.split("@")[0]),
    positions: () => heard.items.map((one) => Number(one.split("@")[1])),
    stop: () => subscription.stop()
  }
}

const begun = async (session: Promise<Session> = log.session()) => {
  const one = await session
  await one.query("begin")
  return one
}

const appendIn = (session: Session, type: string, stream = log.stream()) =>
  session.query("select append_events($1, jsonb_build_array(jsonb_build_object('type', $2::text)))", [
    stream,
    type
  ])

const emit = (type: string, stream = log.stream()) => log.engine.emit(stream, { type })

/** The tail stands at a gap and looks for who holds: what could have been delivered in a moment was not. */
const heldUp = async () => {
  const [row] = await log.db.query<{ now: string }>("select clock_timestamp()::text as now")
  const looking = `select from pg_stat_activity
    where query like '%.log_holders()%' and query_start > $1::timestamptz and pid <> pg_backend_pid()`
  await until(async () => (await log.db.query(looking, [row!.now])).length > 0, {
    what: "the tail to be held up"
  })
}

/** Who holds up the tail, as the status says as soon as somebody does. */
const heldBy = () =>
  until(async () => {
    const { feed } = await log.engine.status()
    return feed.heldBy.length > 0 && feed.heldBy
  })

describe("T1: an unrelated write transaction", () => {
  test.each([
    ["in this database", false],
    ["in another database", true]
  ])("%s, open since before, does not hold up delivery", async (_, elsewhere) => {
    const url = elsewhere ? await log.db.fresh({ empty: true }) : log.db.url
    const unrelated = await openSession(url)
    await unrelated.query(
      "begin; create table public.unrelated (n integer); insert into public.unrelated values (1)"
    )
    const { hears, stop } = await follow()
    await emit("A")
    const rolledBack = await begun()
    await appendIn(rolledBack, "Never")
    await rolledBack.query("rollback")
    await emit("B")
    // Even a gap is no reason to wait for it.
    expect(await inTime(hears(2), { within: 2_000 })).toEqual(["A", "B"])
    await stop()
    await unrelated.close()
  })
})

test("T2: an append of a transaction that wrote before others keeps the order of its stream", async () => {
  const stream = log.stream()
  const { hears, stop } = await follow()
  const early = await begun()
  await early.query("create temporary table mine on commit drop as select 1 as one")
  await early.query("select pg_current_xact_id()")
  await emit("First", stream)
  await appendIn(early, "Second", stream)
  await early.query("commit")
  await emit("Third", stream)
  expect(await hears(3)).toEqual(["First", "Second", "Third"])
  await stop()
})

test("T3: two transactions that expect any version both append to one stream, the second after the first", async () => {
  const stream = log.stream()
  const [a, b] = [await begun(), await begun()]
  await appendIn(a, "A", stream)
  const second = appendIn(b, "B", stream)
  await until(
    async () =>
      (
        await log.db.query("select from pg_stat_activity where pid = $1 and wait_event_type = 'Lock'", [
          b.pid
        ])
      ).length > 0
  )
  await a.query("commit")
  await second
  await b.query("commit")
  const versions = await log.db.query("select type, version::integer from tidemark.read_stream($1)", [stream])
  expect(versions).toEqual([
    { type: "A", version: 1 },
    { type: "B", version: 2 }
  ])
})

test("T4: who subscribes from now hears an append that was under way then, though a later one was committed before", async () => {
  await log.db.query("select tidemark.settle()")
  const slow = await begun()
  await appendIn(slow, "Slow")
  await emit("Fast")
  const { hears, stop } = await follow("now")
  await slow.query("commit")
  expect((await hears(1))[0]).toBe("Slow")
  expect(await hears(2)).toEqual(["Slow", "Fast"])
  await stop()
})

test("T5: writers do not queue behind a reader that waits for another writer", async () => {
  const { hears, heard, stop } = await follow()
  const slow = await begun()
  await appendIn(slow, "Slow")
  await emit("Fast")
  await heldUp()
  await inTime(Promise.all(upTo(20).map((n) => emit(`N${n}`))), { within: 2_000 })
  expect(heard).toEqual([])
  expect(
    await log.db.query(
      "select from pg_locks where locktype = 'advisory' and objsubid = 1 and database = (select oid from pg_database where datname = current_database()) and (mode <> 'ShareLock' or not granted)"
    )
  ).toEqual([])
  await slow.query("commit")
  expect((await hears(22)).slice(0, 2)).toEqual(["Slow", "Fast"])
  await stop()
})

describe("a gap", () => {
  test("that a rollback left is passed over at once", async () => {
    const { hears, stop } = await follow()
    for (const n of upTo(5)) {
      const session = await begun()
      await appendIn(session, "Never")
      await session.query("rollback")
      await emit(`N${n}`)
    }
    expect(await inTime(hears(5), { within: 2_000 })).toEqual(upTo(5).map((n) => `N${n}`))
    await stop()
  })

  test("that a killed writer left is passed over", async () => {
    const { hears, stop } = await follow()
    const session = await begun()
    await appendIn(session, "Never")
    await emit("After")
    await heldUp()
    await log.db.query("select pg_terminate_backend($1)", [session.pid])
    expect(await hears(1)).toEqual(["After"])
    await stop()
  })

  test("of several slow appends is closed in the order of positions, not of commits", async () => {
    const { hears, positions, stop } = await follow()
    const [a, b, c] = [await begun(), await begun(), await begun()]
    for (const [session, type] of [
      [a, "A"],
      [b, "B"],
      [c, "C"]
    ] as const)
      await appendIn(session, type)
    await c.query("commit")
    await log.db.query("select tidemark.wake()")
    await heldUp()
    await a.query("commit")
    await b.query("commit")
    expect(await hears(3)).toEqual(["A", "B", "C"])
    expect(positions()).toEqual(positions().toSorted((x, y) => x - y))
    await stop()
  })

  test("of an append that draws again while it is waited for is waited for to its end", async () => {
    const { hears, heard, stop } = await follow()
    const slow = await begun()
    await appendIn(slow, "A")
    await emit("B")
    await heldUp()
    await appendIn(slow, "C")
    await emit("D")
    expect(heard).toEqual([])
    await slow.query("commit")
    expect(await hears(4)).toEqual(["A", "B", "C", "D"])
    await stop()
  })

  test("of an append that was rolled back to a savepoint is no loss of the rest", async () => {
    const { hears, stop } = await follow()
    const session = await begun()
    await appendIn(session, "Kept")
    await session.query("savepoint here")
    await appendIn(session, "Never")
    await session.query("rollback to here")
    await appendIn(session, "Too")
    await session.query("commit")
    await emit("After")
    expect(await hears(3)).toEqual(["Kept", "Too", "After"])
    await stop()
  })
})

describe("a prepared transaction", () => {
  afterEach(async () => {
    const left = await log.db.query<{ gid: string }>(
      "select gid from pg_prepared_xacts where database = current_database()"
    )
    for (const { gid } of left) await log.db.query(`rollback prepared '${gid}'`)
  })

  const prepare = async (type: string) => {
    const session = await begun()
    await appendIn(session, type)
    return { session, gid: `${log.db.name}_${type}` }
  }

  test.each([
    ["committed", "commit prepared", ["Prepared", "After"]],
    ["rolled back", "rollback prepared", ["After"]]
  ])("that was prepared before the gap is seen is waited for until it is %s", async (_, end, expected) => {
    const { hears, heard, stop } = await follow()
    const { session, gid } = await prepare("Prepared")
    await session.query(`prepare transaction '${gid}'`)
    await emit("After")
    await heldUp()
    expect(heard).toEqual([])
    expect(await heldBy()).toMatchObject([{ pid: null, state: "prepared transaction" }])
    await log.db.query(`${end} '${gid}'`)
    expect(await hears(expected.length)).toEqual(expected)
    await emit("Next")
    expect(await hears(expected.length + 1)).toEqual([...expected, "Next"])
    await stop()
  })

  test.each([
    ["committed", "commit prepared", ["Prepared", "After"]],
    ["rolled back", "rollback prepared", ["After"]]
  ])("that is prepared while it is waited for is waited for until it is %s", async (_, end, expected) => {
    const { hears, heard, stop } = await follow()
    const { session, gid } = await prepare("Prepared")
    await emit("After")
    await heldUp()
    await session.query(`prepare transaction '${gid}'`)
    await heldUp()
    expect(heard).toEqual([])
    await log.db.query(`${end} '${gid}'`)
    expect(await hears(expected.length)).toEqual(expected)
    await stop()
  })
})

describe("an advisory lock that is not the log's", () => {
  const key = "select lock_key from tidemark.log"
  test.each([
    [
      "of two numbers that have the same bits",
      `select pg_advisory_lock_shared((k.lock_key >> 32)::integer, ((k.lock_key << 32) >> 32)::integer) from (${key}) k`
    ],
    ["with the same lower half", `select pg_advisory_lock_shared((k.lock_key & 4294967295)) from (${key}) k`]
  ])("%s is not waited for", async (_, lock) => {
    const { hears, stop } = await follow()
    const other = await log.session()
    await other.query(lock)
    expect(await log.db.query("select from tidemark.log_holders()")).toEqual([])
    const gap = await begun()
    await appendIn(gap, "Never")
    await gap.query("rollback")
    await emit("After")
    expect(await inTime(hears(1), { within: 2_000 })).toEqual(["After"])
    await stop()
  })

  test("with the same key in another database is not waited for", async () => {
    const [row] = await log.db.query<{ lock_key: string }>(key)
    const elsewhere = await openSession(await log.db.fresh())
    await elsewhere.query("select pg_advisory_lock_shared($1)", [row!.lock_key])
    expect(await log.db.query("select from tidemark.log_holders()")).toEqual([])
    await elsewhere.close()
  })

  test("of another log in the same database has another key", async () => {
    const other = await log.open({ schema: "other_log" })
    await other.emit("order-1", { type: "A" })
    const keys = await log.db.query(
      "select lock_key, log_id from tidemark.log union select lock_key, log_id from other_log.log"
    )
    expect(keys).toHaveLength(2)
  })
})

test("status names who holds up the tail, and since when", async () => {
  const { hears, stop } = await follow()
  const slow = await begun()
  await appendIn(slow, "Slow")
  await emit("After")
  // The reader sees it a moment after status does.
  await until(async () => (await log.engine.status()).feed.heldForMs > 0)
  const { feed, settled, head } = await log.engine.status()
  expect(feed.heldBy).toMatchObject([
    {
      pid: slow.pid,
      application: "raw-session",
      state: "idle in transaction",
      ageMs: expect.any(Number),
      queryStartedAt: expect.any(Date)
    }
  ])
  expect(settled).toBeLessThan(head)
  await slow.query("commit")
  await hears(2)
  expect((await log.engine.status()).feed).toMatchObject({ heldBy: [], heldForMs: 0 })
  await stop()
})

test("an engine's own transactions end by themselves when they sit idle, because readers wait for them", async () => {
  await log.engine.transaction(async (tx) => {
    const { rows } = await tx.query<{ idle_in_transaction_session_timeout: string }>(
      "show idle_in_transaction_session_timeout"
    )
    expect(rows).toEqual([{ idle_in_transaction_session_timeout: "30s" }])
  })
})
