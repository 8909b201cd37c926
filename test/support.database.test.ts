import { Client } from "pg"
import { describe, expect, test } from "vitest"
import { connected, createDatabase, databaseUrl, dropDatabase } from "./support/admin.ts"
import { leftBehind } from "./support/connections.ts"
import { testDatabase } from "./support/database.ts"
import { currentRun } from "./support/run.ts"
import { preparedTransactions } from "./support/servers/provider.ts"

const db = testDatabase()

const databases = async () =>
  (await db.query<{ datname: string }>("select datname from pg_database")).map(({ datname }) => datname)

const nameIn = (url: string) => new URL(url).pathname.slice(1)

describe("the run's server", () => {
  test("is of the kind that was asked for", async () => {
    const { provider, version } = currentRun()
    const major = Math.floor(version / 10_000)
    const expected = { pg15: 15, embedded: 18, containers: 18, given: Math.max(15, major) }
    expect(major).toBe(expected[provider])
  })

  test("allows prepared transactions", async () => {
    const [setting] = await db.query<{ max_prepared_transactions: string }>("show max_prepared_transactions")
    expect(Number(setting?.max_prepared_transactions)).toBeGreaterThanOrEqual(preparedTransactions)
  })
})

describe("a test database", () => {
  test("is a database of the file's own, named after it", async () => {
    const [current] = await db.query<{ name: string }>("select current_database() as name")
    expect(current?.name).toBe(db.name)
    expect(nameIn(db.url)).toBe(db.name)
    expect(db.name).toMatch(/^tidemark_test_[0-9a-f]{6}_support_database_\d+$/)
  })

  test("is a copy of the template, which nobody can enter", async () => {
    const { url, template } = currentRun()
    await expect(connected(databaseUrl(url, template), async () => {})).rejects.toThrow(
      "not currently accepting"
    )
    expect(await databases()).toContain(template)
  })

  test("is migrated, unless it is asked for empty", async () => {
    const migrated = "select to_regclass('tidemark.migrations') is not null as migrated"
    const empty = await connected(await db.fresh({ empty: true }), (client) => client.query(migrated))
    expect([await db.query(migrated), empty.rows]).toEqual([[{ migrated: true }], [{ migrated: false }]])
  })

  test("can have others beside it, each apart", async () => {
    await db.query("create table here (id integer)")
    const [copy, empty] = await Promise.all([db.fresh(), db.fresh({ empty: true })])
    for (const url of [copy, empty]) {
      const found = await connected(url, (client) => client.query("select to_regclass('here') as here"))
      expect(found.rows).toEqual([{ here: null }])
    }
    expect(new Set([db.name, nameIn(copy), nameIn(empty)]).size).toBe(3)
  })

  test("survives the end of its own connections", async () => {
    await db.query("select pg_terminate_backend(pg_backend_pid())").catch(() => {})
    expect(await db.query("select 1 as one")).toEqual([{ one: 1 }])
  })

  test("ends connections by name, in its own databases only, and they are gone when it says so", async () => {
    const named = { application_name: "victim" }
    const mine = new Client({ connectionString: db.url, ...named })
    const elsewhere = new Client({ connectionString: currentRun().url, ...named })
    const ended = new Promise((resolve) => mine.on("error", resolve))
    await Promise.all([mine.connect(), elsewhere.connect()])
    expect(await db.terminate("victim")).toBe(1)
    const left = await db.query("select datname from pg_stat_activity where application_name = 'victim'")
    expect(left).toEqual([{ datname: nameIn(currentRun().url) }])
    expect(await ended).toBeInstanceOf(Error)
    await Promise.all([mine.end().catch(() => {}), elsewhere.end()])
  })
})

test("of two databases of one name only the first is made", async () => {
  const { url, prefix, template } = currentRun()
  const name = `${prefix}twice`
  const made = await Promise.all([1, 2, 3].map(() => createDatabase(url, name, template)))
  expect(made.filter(Boolean)).toHaveLength(1)
  expect(await createDatabase(url, name, template)).toBe(false)
  await dropDatabase(url, name)
})

/** It has to answer once within this time, on a slow machine, too. */
const LONG_ENOUGH_TO_LOOK_MS = 500

describe("what is left behind in a database", () => {
  test("is not a connection that closes a moment later", async () => {
    const client = new Client({ connectionString: db.url, application_name: "closing" })
    await client.connect()
    const leaks = leftBehind(currentRun().url, [db.name])
    // As many round trips as the first look needs, and more.
    for (let trip = 0; trip < 200; trip += 1) await client.query("select 1")
    await client.end()
    expect(await leaks).toEqual([])
  })

  test("a connection is named with its application, state and statement, until it is closed", async () => {
    const client = new Client({ connectionString: db.url, application_name: "forgotten" })
    await client.connect()
    await client.query("begin")
    await client.query("select 42")
    const leaks = await leftBehind(currentRun().url, [db.name], LONG_ENOUGH_TO_LOOK_MS)
    expect(leaks).toEqual([
      expect.stringMatching(
        /a connection to \S+ by 'forgotten' \(pid \d+, idle in transaction, .*select 42\)/
      )
    ])
    await client.end()
    expect(await leftBehind(currentRun().url, [db.name])).toEqual([])
  })

  test("a prepared transaction is named, until it is over", async () => {
    const gid = `${db.name}_forgotten`
    await connected(db.url, async (client) => {
      await client.query("begin")
      await client.query("create table half_way (id integer)")
      await client.query(`prepare transaction '${gid}'`)
    })
    expect(await leftBehind(currentRun().url, [db.name])).toEqual([`the prepared transaction ${gid}`])
    await db.query(`rollback prepared '${gid}'`)
    expect(await leftBehind(currentRun().url, [db.name])).toEqual([])
  })
})
