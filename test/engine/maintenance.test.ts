import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest"
import { migrate } from "../../src/engine/migration.ts"
import type { MaintenanceReport } from "../../src/engine/upkeep.ts"
import { MaintenanceUnderWay, ReadOnly } from "../../src/errors.ts"
import { type Engine, open } from "../../src/index.ts"
import { connected, quoted } from "../support/admin.ts"
import { testDatabase } from "../support/database.ts"
import { deferred, until } from "../support/eventually.ts"
import { privateServer, standbyOf } from "../support/server.ts"

const db = testDatabase()
let engine: Engine

beforeAll(async () => {
  engine = await open({ database: db.url, logger: false })
})
afterAll(() => engine.close())

/** Of tests' own tables everything counts, however small. */
const SMALL = { bloatBytes: 8_192 }

const ROWS = 20_000

/** A table of the log's schema that nobody else looks after, with an index of keys in no order. */
const tableOf = async (name: string, rows = ROWS): Promise<void> => {
  await db.query(`drop table if exists tidemark.${name}`)
  await db.query(`create table tidemark.${name} (key text, nth integer) with (autovacuum_enabled = off)`)
  await db.query(
    `insert into tidemark.${name} select md5(n::text), n from generate_series(1, $1::integer) n`,
    [rows]
  )
  await db.query(`create index ${name}_key on tidemark.${name} (key)`)
}

/** Deletes most rows, and lets the server take their space for free without giving it back. */
const emptied = async (name: string): Promise<void> => {
  await db.query(`delete from tidemark.${name} where nth % 10 <> 0`)
  await db.query(`vacuum (analyze) tidemark.${name}`)
}

/** The counts of a session reach everybody when it says so, or a second later. */
const counted = (table: string, changed: number): Promise<unknown> =>
  until(async () => {
    const rows = await db.query<{ n: string }>(
      "select n_mod_since_analyze as n from pg_stat_all_tables where relid = $1::regclass",
      [`tidemark.${table}`]
    )
    return Number(rows[0]!.n) >= changed
  })

const stepsOn = ({ steps }: MaintenanceReport, relation: string) =>
  steps.filter((step) => step.relation === relation)

const sizeOf = async (relation: string): Promise<number> => {
  const rows = await db.query<{ bytes: string }>("select pg_relation_size($1::regclass) as bytes", [
    `tidemark.${relation}`
  ])
  return Number(rows[0]!.bytes)
}

const indexesLike = async (pattern: string): Promise<ReadonlyArray<string>> => {
  const rows = await db.query<{ name: string }>(
    "select relname as name from pg_class where relkind = 'i' and relname like $1 order by relname",
    [pattern]
  )
  return rows.map(({ name }) => name)
}

describe("maintain", () => {
  test("makes statistics that are stale anew, once, and touches nothing of another schema", async () => {
    await tableOf("stale")
    await db.query("create table if not exists public.others as select n from generate_series(1, 20000) n")
    await counted("stale", ROWS)
    const would = await engine.maintain({ dryRun: true })
    expect(stepsOn(would, "stale")).toMatchObject([{ kind: "analyze", outcome: "would", problem: null }])
    const did = await engine.maintain()
    expect(stepsOn(did, "stale")).toMatchObject([{ kind: "analyze", outcome: "done" }])
    expect(did.tables.find(({ table }) => table === "stale")).toMatchObject({ rows: ROWS, deadRows: 0 })
    expect(did.tables.find(({ table }) => table === "others")).toBeUndefined()
    expect(stepsOn(await engine.maintain(), "stale")).toEqual([])
    const [others] = await db.query<{ made: Date | null }>(
      "select greatest(last_analyze, last_autoanalyze) as made from pg_stat_all_tables where relname = 'others'"
    )
    expect(others!.made).toBe(null)
  })

  test("makes those of the telemetry as a whole, which nobody else does", async () => {
    await engine.heartbeats.record({ agent: "a-1" })
    await until(async () => {
      const { steps } = await engine.maintain({ dryRun: true })
      return steps.some(({ relation }) => relation === "telemetry")
    })
    expect(stepsOn(await engine.maintain(), "telemetry")).toMatchObject([{ outcome: "done" }])
    expect(stepsOn(await engine.maintain({ dryRun: true }), "telemetry")).toEqual([])
  })

  test("builds an index anew that is bloated, which is then as large as was estimated", async () => {
    await tableOf("bloated")
    await emptied("bloated")
    const before = await sizeOf("bloated_key")
    const would = await engine.maintain({ ...SMALL, dryRun: true })
    expect(stepsOn(would, "bloated_key")).toMatchObject([{ kind: "reindex", outcome: "would" }])
    const { bytes, bloatBytes } = would.indexes.find(({ index }) => index === "bloated_key")!
    expect(bytes).toBe(before)
    const did = await engine.maintain(SMALL)
    const after = await sizeOf("bloated_key")
    expect(stepsOn(did, "bloated_key")).toMatchObject([
      { kind: "reindex", outcome: "done", bytesBefore: before, bytesAfter: after }
    ])
    expect(after).toBeLessThan(before / 2)
    // Within a fifth of what it came to.
    expect(Math.abs(bytes - bloatBytes! - after) / after).toBeLessThan(0.2)
    expect(stepsOn(await engine.maintain(SMALL), "bloated_key")).toEqual([])
    // The table itself was not made smaller, and what it has to spare is told.
    const heap = did.tables.find(({ table }) => table === "bloated")!
    expect(heap.bloatBytes! / heap.bytes).toBeGreaterThan(0.7)
  })

  test("takes a tight index for what it is, and leaves a bloated one below the limits alone", async () => {
    await tableOf("tight")
    await db.query("vacuum (analyze) tidemark.tight")
    const { indexes } = await engine.maintain({ dryRun: true })
    const tight = indexes.find(({ index }) => index === "tight_key")!
    expect(tight.bloatBytes! / tight.bytes).toBeLessThan(0.1)
    await emptied("tight")
    expect(stepsOn(await engine.maintain({ dryRun: true }), "tight_key")).toEqual([])
    const strict = await engine.maintain({ dryRun: true, bloatBytes: 0, bloatShare: 1 })
    expect(stepsOn(strict, "tight_key")).toEqual([])
  })

  test("drops what a REINDEX left behind, and builds an index again that was not built to its end", async () => {
    await tableOf("broken")
    await db.query("insert into tidemark.broken select * from tidemark.broken where nth = 1")
    await expect(
      db.query("create unique index concurrently broken_one on tidemark.broken (nth)")
    ).rejects.toThrow("could not create unique index")
    await expect(
      db.query("create unique index concurrently broken_key_ccnew on tidemark.broken (nth)")
    ).rejects.toThrow("could not create unique index")

    const failed = await engine.maintain(SMALL)
    expect(stepsOn(failed, "broken_key_ccnew")).toMatchObject([{ kind: "drop", outcome: "done" }])
    expect(stepsOn(failed, "broken_one")).toMatchObject([
      { kind: "repair", outcome: "failed", problem: expect.stringContaining("unique") }
    ])
    expect(failed.recorded).toBeDefined()
    // What that try has left is cleared away at once.
    expect(await indexesLike("broken%")).toEqual(["broken_key", "broken_one"])
    expect(failed.indexes.find(({ index }) => index === "broken_one")).toMatchObject({ isValid: false })

    await db.query("delete from tidemark.broken where nth = 1")
    const did = await engine.maintain(SMALL)
    expect(stepsOn(did, "broken_one")).toMatchObject([{ kind: "repair", outcome: "done" }])
    expect(did.indexes.find(({ index }) => index === "broken_one")).toMatchObject({ isValid: true })
  })

  test("leaves settings of its connections as they were", async () => {
    await using small = await open({ database: db.url, logger: false, readModels: "follow", poolSize: 3 })
    await tableOf("session")
    await emptied("session")
    const { steps } = await small.maintain(SMALL)
    expect(steps.some(({ kind, outcome }) => kind === "reindex" && outcome === "done")).toBe(true)
    const patience = () => small.transaction((tx) => tx.query<{ lock_timeout: string }>("show lock_timeout"))
    const all = await Promise.all([patience(), patience()])
    expect(all.flatMap(({ rows }) => rows)).toEqual([{ lock_timeout: "0" }, { lock_timeout: "0" }])
  })

  test.each([
    [{ bloatShare: 0 }, "bloatShare is 0: give a share above 0, at most 1"],
    [{ bloatShare: 1.1 }, "bloatShare is 1.1"],
    [{ bloatShare: Number.NaN }, "bloatShare is NaN"],
    [{ bloatBytes: -1 }, "bloatBytes is -1: give a whole number from 0"],
    [{ bloatBytes: 1.5 }, "bloatBytes is 1.5"],
    [{ longTransactionMs: Number.POSITIVE_INFINITY }, "longTransactionMs is Infinity"]
  ])("refuses %o", async (options, message) => {
    await expect(engine.maintain(options)).rejects.toThrow(message)
    await expect(engine.maintain({ ...options, dryRun: true })).rejects.toMatchObject({
      _tag: "InvalidArgument"
    })
  })
})

test("a table that somebody keeps from everybody is waited for no longer than any lock", async () => {
  await connected(db.url, async (client) => {
    await client.query("begin; lock table tidemark.stale in access exclusive mode")
    await expect(engine.maintain({ dryRun: true })).rejects.toMatchObject({ _tag: "LockTimeout" })
    await client.query("rollback")
  })
})

describe("what was done", () => {
  test("is an event, and read back the newest first; a dry run is none", async () => {
    const before = await engine.maintenance.history()
    await engine.maintain({ dryRun: true })
    expect(await engine.maintenance.history()).toEqual(before)
    const first = await engine.maintain()
    const second = await engine.maintain()
    const [last, other] = await engine.maintenance.history({ limit: 2 })
    const { version, position } = second.recorded!
    expect(last).toMatchObject({ version, position, tookMs: second.tookMs })
    expect(other).toMatchObject({ version: first.recorded!.version, steps: first.steps })
    expect(last!.at).toBeInstanceOf(Date)
    expect(last!.totals).toEqual(second.totals)
    expect(await engine.maintenance.history({ limit: 1 })).toHaveLength(1)
    await expect(engine.maintenance.history({ limit: -1 })).rejects.toMatchObject({ _tag: "InvalidArgument" })
    for await (const event of engine.read("maintenance-log", { limit: 1 }))
      expect(event.type).toBe("MaintenanceDone")
  })
})

/** Somebody else's transaction, which keeps a snapshot and lets a new index wait for it. */
const whileOpen = (work: (pid: number) => Promise<void>): Promise<void> =>
  connected(db.url, async (client) => {
    await client.query("begin isolation level repeatable read")
    const { rows } = await client.query<{ pid: number }>(
      "select pg_backend_pid() as pid, 'a secret' as secret"
    )
    await work(rows[0]!.pid)
    await client.query("rollback")
  })

describe("a transaction that is open for long", () => {
  test("is told with who it is and never with what it says", async () => {
    await whileOpen(async (pid) => {
      const report = await until(async () => {
        const looked = await engine.maintain({ dryRun: true, longTransactionMs: 0 })
        return looked.transactions.some((one) => one.pid === pid) && looked
      })
      expect(report.transactions.find((one) => one.pid === pid)).toMatchObject({
        state: "idle in transaction",
        ageMs: expect.any(Number)
      })
      expect(JSON.stringify(report)).not.toContain("a secret")
    })
  })

  test("is told where it is prepared, too", async () => {
    await connected(db.url, async (client) => {
      await client.query("begin")
      await client.query("create temporary view nothing as select 1")
      await client.query("rollback")
      await client.query("begin; insert into tidemark.stale values ('x', 0); prepare transaction 'a secret'")
      const { transactions } = await engine.maintain({ dryRun: true, longTransactionMs: 0 })
      await client.query("rollback prepared 'a secret'")
      expect(transactions).toContainEqual(
        expect.objectContaining({ pid: null, state: "prepared transaction" })
      )
      expect(JSON.stringify(transactions)).not.toContain("a secret")
    })
  })
})

describe("maintenance that is given up", () => {
  beforeEach(async () => {
    await tableOf("slow")
    await emptied("slow")
  })

  test("rejects with the signal's reason, ends what the server was at, and leaves no index behind", async () => {
    await whileOpen(async () => {
      const giving = new AbortController()
      const begun = deferred<void>()
      const reason = new Error("enough")
      const work = engine.maintain({
        ...SMALL,
        signal: giving.signal,
        onStep: ({ relation }) => relation === "slow_key" && begun.resolve()
      })
      const outcome = work.catch((thrown: unknown) => thrown)
      await begun.promise
      const building = "select pid from pg_stat_progress_create_index where datname = current_database()"
      const waits = `${building} and phase like 'waiting%'`
      await until(async () => (await db.query(waits)).length === 1)
      giving.abort(reason)
      expect(await outcome).toBe(reason)
      expect(await db.query(building)).toEqual([])
      expect(await indexesLike("slow%")).toEqual(["slow_key"])
    })
    const [last] = await engine.maintenance.history({ limit: 1 })
    expect(last).toMatchObject({ isInterrupted: true })
    // Nobody holds it any more.
    expect(stepsOn(await engine.maintain(SMALL), "slow_key")).toMatchObject([{ outcome: "done" }])
  })

  test("before it began does nothing", async () => {
    const reason = new Error("not at all")
    const before = await engine.maintenance.history()
    await expect(engine.maintain({ signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
    expect(await engine.maintenance.history()).toEqual(before)
  })

  test("by nobody keeps another process from it meanwhile, which may look", async () => {
    await using other = await open({ database: db.url, logger: false, readModels: "follow" })
    await whileOpen(async () => {
      const giving = new AbortController()
      const begun = deferred<void>()
      const work = engine.maintain({
        ...SMALL,
        signal: giving.signal,
        onStep: ({ relation }) => relation === "slow_key" && begun.resolve()
      })
      const outcome = work.catch((thrown: unknown) => thrown)
      await begun.promise
      await expect(other.maintain()).rejects.toBeInstanceOf(MaintenanceUnderWay)
      // What is being built is nobody's to clear away.
      const { steps } = await other.maintain({ ...SMALL, dryRun: true })
      expect(steps.filter(({ relation }) => relation.startsWith("slow_key"))).toEqual([])
      giving.abort(new Error("enough"))
      expect(await outcome).toMatchObject({ message: "enough" })
    })
    expect((await other.maintain()).recorded).toBeDefined()
  })
})

test("several engines at once: one maintains, or one after the other, and nobody waits for ever", async () => {
  const engines = await Promise.all(
    Array.from({ length: 3 }, () => open({ database: db.url, logger: false, readModels: "follow" }))
  )
  const before = await engine.maintenance.history()
  const outcomes = await Promise.allSettled(engines.map((one) => one.maintain()))
  await Promise.all(engines.map((one) => one.close()))
  const done = outcomes.filter(({ status }) => status === "fulfilled")
  expect(done.length).toBeGreaterThan(0)
  for (const outcome of outcomes)
    if (outcome.status === "rejected") expect(outcome.reason).toBeInstanceOf(MaintenanceUnderWay)
  const after = await engine.maintenance.history({ limit: 100 })
  expect(after.length).toBe(before.length + done.length)
})

test("a role that may only read is told what it may not do, part by part, and the rest is done", async () => {
  const role = `tidemark_maintain_${process.pid}`
  await tableOf("owned")
  await counted("owned", ROWS)
  await db.query(`create role ${quoted(role)} login password 'secret'`)
  try {
    await migrate({ database: db.url, readers: [role] })
    const url = new URL(db.url)
    url.username = role
    url.password = "secret"
    await using reader = await open({ database: url.href, logger: false })
    const report = await reader.maintain()
    expect(stepsOn(report, "owned")).toMatchObject([
      { kind: "analyze", outcome: "left", problem: expect.stringContaining("only its owner") }
    ])
    expect(report.recorded).toBeUndefined()
    expect(report.left.map(({ part }) => part)).toEqual(
      expect.arrayContaining(["long transactions", "the record of it"])
    )
    expect(report.totals.tables).toBeGreaterThan(10)
    expect(stepsOn(await engine.maintain(), "owned")).toMatchObject([{ outcome: "done" }])
    await reader.close()
  } finally {
    await db.query(`drop owned by ${quoted(role)}`)
    await db.query(`drop role ${quoted(role)}`)
  }
})

test("a standby is looked at, and maintained by its primary", async () => {
  await using primary = await privateServer()
  const writer = await open({ database: primary.url, logger: false })
  await writer.emit("order-1", { type: "Placed" })
  await writer.close()
  await using standby = await standbyOf(primary)
  await using reader = await open({ database: standby.url, logger: false })
  const looked = await reader.maintain({ dryRun: true })
  expect(looked).toMatchObject({ isDryRun: true, steps: [], recorded: undefined })
  expect(looked.left).toMatchObject([{ part: "statistics and indexes" }])
  await expect(reader.maintain()).rejects.toBeInstanceOf(ReadOnly)
})
