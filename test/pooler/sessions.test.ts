import { expect, test } from "vitest"
import { Counted, counters, entries } from "../projection/scene.ts"
import { isThrough, SOON } from "../consumer/scene.ts"
import { tablesOf } from "../projection/rebuild/looks.ts"
import { upTo } from "../log/test-log.ts"
import { until } from "../support/eventually.ts"
import { isDeaf, pooledLog } from "./scene.ts"

// A session behind the pooler goes from one client to the next: what one leaves in it, another gets.

const log = pooledLog()

test("what a session is left with is seen: a setting, a cursor, a table, a channel, a prepared statement and a lock", async () => {
  const engine = await log.open()
  await engine.transaction(async (tx) => {
    await tx.query("set lock_timeout = 1234")
    await tx.query("declare left_open cursor with hold for select 1")
    await tx.query("create temp table left_there (n integer)")
    await tx.query("listen left_on")
    await tx.query("prepare left_ready as select 1")
    await tx.query("select pg_advisory_lock(4711)")
  })
  const left = await log.leftovers()
  for (const wanted of [
    "set lock_timeout = 1234",
    "cursor left_open",
    "table left_there",
    "channel left_on",
    "prepared left_ready",
    "lock advisory"
  ])
    expect(left).toContain(wanted)
  await engine.close()
  await log.endSessions()
  await until(async () => (await log.leftovers()).length === 0)
})

test("nothing is left in any by appends, transactions, handlers, folds, rebuilds and what they fail with", async () => {
  const [one, two] = [await log.open(), await log.open()]
  await isDeaf(one)
  const definitions = [counters({ name: "left" }), entries({ name: "lefts" })]
  for (const definition of definitions) await one.project(definition)
  for (const n of upTo(10)) await two.emit(`left-${n}`, Counted.make({ by: n }))
  await two.emit("left-1", { type: "Made" }, { expected: "none" }).catch(() => undefined)
  for (const sql of ["select 1 / 0", "select 1"])
    await one
      .transaction(async (tx) => {
        tx.emit("left-2", { type: "Made" })
        await tx.query(sql)
        throw new Error("on second thoughts")
      })
      .catch(() => undefined)

  const retry = { ...SOON, attempts: 2 }
  const options = {
    name: "left",
    categories: ["handled"],
    partitions: 3,
    transactional: true,
    retry
  } as const
  for (const engine of [one, two])
    await engine.subscribe(options, async (event, { tx }) => {
      await tx.query("select pg_sleep(0.01)")
      if (event.version === 2) await tx.query("select 1 / 0")
    })
  let last = 0
  for (const n of upTo(6)) ({ position: last } = await two.emit(`handled-${n % 3}`, { type: "Handled" }))
  const control = one.subscription("left")
  await until(async () => (await control.status()).held.parked === 3)
  await control.drop("all", { reason: "of no use" })
  await control.change({ partitions: 5 })
  await isThrough(one, "left", last)

  for (const definition of definitions) {
    await one.rebuild(definition, { verify: true })
    await one.rollback(definition.name)
  }
  const [table] = await tablesOf(log.db, "left")
  await log.db.query(`update tidemark.${table} set total = -1`)
  const changed = counters({ name: "left", version: 2, count: () => 7 })
  const { projections } = await two.whatIf({ definitions: [changed], into: "scratch" })
  expect(projections[0]!.compared!.tables[0]!.different).toBe(10)
  const failing = counters({
    name: "left",
    version: 3,
    count: () => {
      throw new Error("no more")
    }
  })
  await two.rebuild(failing).catch(() => undefined)
  await two.close()
  expect(await log.leftovers()).toEqual([])
})
