import { afterAll, beforeAll, describe, expect, test } from "vitest"
import { migrate } from "../../../src/engine/migration.ts"
import { quoted } from "../../support/admin.ts"
import { inTime, until } from "../../support/eventually.ts"
import { eventsOf, somebodyWaits, testLog, upTo } from "../test-log.ts"

// Rule A6, where what is waited for is more, or other, than the stream of one emit.

const log = testLog()
const writer = `tidemark_locked_${process.pid}`
const soon = { within: 5_000 }

const holding = async (...streams: ReadonlyArray<string>) => {
  for (const stream of streams) await log.engine.emit(stream, { type: "Before" })
  const session = await log.session()
  await session.query("begin")
  await session.query("select from streams where stream = any($1) order by stream for update", [streams])
  return { release: () => session.query("commit") }
}

const asRole = (role: string): string => {
  const url = new URL(log.db.url)
  return `${url.href}${url.search === "" ? "?" : "&"}options=${encodeURIComponent(`-c role=${role}`)}`
}

describe("a writer's engine", () => {
  beforeAll(async () => {
    await log.db.query(`create role ${quoted(writer)}`)
    await migrate({ database: log.db.url, writers: [writer] })
  })
  afterAll(async () => {
    await log.db.query(`drop owned by ${quoted(writer)}`)
    await log.db.query(`drop role ${quoted(writer)}`)
  })

  test("sets a stream that is held apart as an owner's does, and fails none of its neighbours", async () => {
    const engine = await log.open({ database: asRole(writer) })
    const [stuck, ...others] = upTo(4).map(() => log.stream())
    for (const one of others) await log.engine.emit(one, { type: "Before" })
    const { release } = await holding(stuck!)
    const late = engine.emit(stuck!, { type: "Late" })
    await inTime(Promise.all(others.map((one) => engine.emit(one, { type: "Fine" }))), soon)
    await until(async () => (await engine.status()).emit.held.includes(stuck!), soon)
    await release()
    await expect(late).resolves.toMatchObject({ version: 2 })
  })
})

describe("an emit while the whole table is locked", () => {
  test.each(["share", "share row exclusive", "access exclusive"])(
    "(%s) is Unavailable at its deadline, and nothing of it is done",
    async (mode) => {
      const engine = await log.open({ emitDeadlineMs: 2_000 })
      const [known, fresh] = [log.stream(), log.stream()]
      await log.engine.emit(known, { type: "Before" })
      const session = await log.session()
      await session.query(`begin; lock table events in ${mode} mode`)
      const emitted = Promise.allSettled([
        engine.emit(known, { type: "Late" }),
        engine.emit(fresh, { type: "Late" })
      ])
      const unavailable = { status: "rejected", reason: { _tag: "Unavailable" } }
      expect(await inTime(emitted, soon)).toMatchObject([unavailable, unavailable])
      await session.query("rollback")
      expect(await eventsOf(log.engine, known)).toHaveLength(1)
      await expect(engine.emit(fresh, { type: "Next" })).resolves.toMatchObject({ version: 1 })
    }
  )
})

describe("an append that waits for an id that an open transaction appended", () => {
  test("gives its head up when its patience is over, and leaves the transaction's own patience as it was", async () => {
    const id = "0198c0de-0000-7000-8000-00000000000a"
    const [theirs, ours] = [log.stream(), log.stream()]
    const [first, second] = [await log.session(), await log.session()]
    await first.query("begin")
    await first.query("select append_events($1, $2)", [theirs, JSON.stringify([{ type: "T", id }])])
    await second.query("begin; set local lock_timeout = '7s'; savepoint before")
    const append = (one: string) =>
      second.query(
        "select append_batch(array[$1], '{1}', '{1}', '{null}', array[$2::uuid], '{T}', array['{}'::jsonb], '{\"{}\"}', array['{}'::jsonb], '{1}', 100)",
        [ours, one]
      )
    await expect(inTime(append(id), soon)).rejects.toMatchObject({ code: "55P03" })
    await second.query("rollback to before")
    await append("0198c0de-0000-7000-8000-00000000000b")
    expect(await second.query("show lock_timeout")).toEqual([{ lock_timeout: "7s" }])
    await append("0198c0de-0000-7000-8000-00000000000b")
    expect(await second.query("show lock_timeout")).toEqual([{ lock_timeout: "7s" }])
    await second.query("rollback")
    await first.query("rollback")
  })

  test("holds none of its neighbours up, and is appended when that transaction is rolled back", async () => {
    const id = "0198c0de-0000-7000-8000-00000000000c"
    const [theirs, ours, ...others] = upTo(6).map(() => log.stream())
    for (const one of [ours!, ...others]) await log.engine.emit(one, { type: "Before" })
    const session = await log.session()
    await session.query("begin")
    await session.query("select append_events($1, $2)", [theirs, JSON.stringify([{ type: "T", id }])])
    const late = log.engine.emit(ours!, { type: "T", id })
    const fine = Promise.all(others.map((one) => log.engine.emit(one, { type: "Fine" })))
    await somebodyWaits(log.db)
    await inTime(fine, soon)
    await session.query("rollback")
    await expect(late).resolves.toMatchObject({ version: 2 })
  })
})

describe("streams that are held for long", () => {
  test("take turns, so that another that is free again does not wait for them", async () => {
    const long = [log.stream(), log.stream()]
    const short = log.stream()
    const [{ release: releaseLong }, { release }] = [await holding(...long), await holding(short)]
    const late = long.map((one) => log.engine.emit(one, { type: "Late" }))
    await until(async () => (await log.engine.status()).emit.held.length === 2, soon)
    const between = upTo(3).map((n) => log.engine.emit(short, { type: "Between", data: { n } }))
    await until(async () => (await log.engine.status()).emit.held.length === 3, soon)
    await release()
    const versions = (await inTime(Promise.all(between), soon)).map(({ version }) => version)
    expect(versions).toEqual([2, 3, 4])
    await releaseLong()
    await expect(Promise.all(late)).resolves.toHaveLength(2)
  })

  test("fail with Unavailable at their deadline, those too whose turn has not come", async () => {
    const hasty = await log.open({ emitDeadlineMs: 1_200 })
    const stuck = upTo(5).map(() => log.stream())
    const { release } = await holding(...stuck)
    const late = Promise.allSettled(stuck.map((one) => hasty.emit(one, { type: "Late" })))
    for (const one of await inTime(late, { within: 3_000 })) {
      expect(one).toMatchObject({ status: "rejected", reason: { _tag: "Unavailable" } })
    }
    await release()
    for (const one of stuck) expect(await eventsOf(log.engine, one)).toHaveLength(1)
  })
})

describe("a telemetry append while another transaction makes the next partitions", () => {
  test("does not wait for it where it has a partition to write to", async () => {
    const [first, second] = [await log.session(), await log.session()]
    await first.query("begin")
    await first.query(
      "select pg_advisory_xact_lock(hashtext('tidemark telemetry'), hashtext((select log_id from log)::text))"
    )
    await second.query("set lock_timeout = '1s'")
    const [last] = await second.query<{ reached: string }>(
      "select max(up_to) - 1 as reached from telemetry_partitions"
    )
    await second.query("select extend_telemetry($1)", [last!.reached])
    await expect(
      second.query("select extend_telemetry($1 + 1)", [Number(last!.reached)])
    ).rejects.toMatchObject({
      code: "55P03"
    })
    await first.query("rollback")
  })
})
