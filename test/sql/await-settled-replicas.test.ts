import { afterAll, beforeAll, describe, expect, test } from "vitest"
import { migrate } from "../../src/engine/migration.ts"
import { openSession } from "../log/test-log.ts"
import { connected, databaseUrl } from "../support/admin.ts"
import type { Cluster } from "../support/cluster.ts"
import { until } from "../support/eventually.ts"
import { privateServer, standbyOf } from "../support/server.ts"

// Rule S7 in SQL: where the locks of the writers cannot be seen, read_log() and settle() go by what was written down.

const SLOT = "tidemark_settle"
const TABLES = ["events", "streams", "log", "epochs", "settled", "categories"].map((one) => `tidemark.${one}`)

let server: Cluster
let standby: Cluster
const place = (name: string): string => databaseUrl(server.url, name)

const sql = (url: string, text: string, params: ReadonlyArray<unknown> = []) =>
  connected(url, async (client) => (await client.query(text, [...params])).rows)

const append = (url: string, stream: string, type: string) =>
  sql(
    url,
    "select from tidemark.append_events($1, jsonb_build_array(jsonb_build_object('type', $2::text)))",
    [stream, type]
  )
const typesRead = async (url: string) =>
  (await sql(url, "select type from tidemark.read_log(0, 100, '100 ms')")).map(({ type }) => type)
const settledAt = async (url: string) =>
  Number((await sql(url, "select tidemark.settled_position() as at"))[0].at)
const arrived = (url: string, what: string) =>
  until(async () => (await sql(url, `select ${what}`)).length === 1, {
    within: 30_000,
    what: `the replica to have: ${what}`
  })

/** The primary has "First" settled, "Slow" under way and "Fast" above it. */
const withAppendUnderWay = async (origin: string, replica: string, work: () => Promise<void>) => {
  await append(origin, "order-1", "First")
  expect(await sql(origin, "select tidemark.settle()::integer as at")).toEqual([{ at: 1 }])
  const slow = await openSession(origin)
  await slow.query("begin")
  await slow.query(`select append_events('order-2', '[{"type": "Slow"}]')`)
  await append(origin, "order-3", "Fast")
  await arrived(replica, "from tidemark.events where type = 'Fast'")
  await arrived(replica, "from tidemark.settled where position = 1")
  try {
    await work()
    await slow.query("commit")
  } finally {
    await slow.close()
  }
  await arrived(replica, "from tidemark.events where type = 'Slow'")
  expect(await typesRead(replica)).toEqual(["First"])
  expect(await sql(origin, "select tidemark.settle()::integer as at")).toEqual([{ at: 3 }])
  await arrived(replica, "from tidemark.settled where position = 3")
  expect(await typesRead(replica)).toEqual(["First", "Slow", "Fast"])
}

beforeAll(async () => {
  server = await privateServer({ wal_level: "logical" })
  await migrate({ database: server.url })
  for (const name of ["origin", "replica", "restarted"]) {
    await sql(server.url, `create database ${name}`)
    await migrate({ database: place(name) })
  }
  standby = await standbyOf(server)
})

afterAll(async () => {
  await standby?.remove()
  await server?.remove()
})

/** How the log's lock is listed: without a backend, and under which name. */
const holders = (url: string) => sql(url, "select holder, pid from tidemark.log_holders()")

test("after a restart a prepared transaction is listed without its backend, and waited for as before", async () => {
  const url = place("restarted")
  await append(url, "order-1", "First")
  const slow = await openSession(url)
  await slow.query("begin")
  await slow.query(`select append_events('order-2', '[{"type": "Slow"}]')`)
  await slow.query("prepare transaction 'outlives'")
  await slow.close()
  await append(url, "order-3", "Fast")
  expect(await typesRead(url)).toEqual([])
  await server.restart("immediate")
  expect(await holders(url)).toEqual([{ holder: expect.stringMatching(/^-1\/\d+$/), pid: null }])
  expect(await typesRead(url)).toEqual([])
  expect(await sql(url, "select tidemark.settle('100 ms')::integer as at")).toEqual([{ at: 0 }])
  await sql(url, "commit prepared 'outlives'")
  expect(await typesRead(url)).toEqual(["First", "Slow", "Fast"])
})

describe("on a hot standby", () => {
  test("read_log() gives what was written down as settled, and settle() writes nothing", () =>
    withAppendUnderWay(server.url, standby.url, async () => {
      expect(await typesRead(standby.url)).toEqual(["First"])
      await expect(sql(standby.url, "select tidemark.settle('100 ms')")).rejects.toMatchObject({
        code: "25006"
      })
      expect(await settledAt(standby.url)).toBe(1)
    }))

  test("nobody is said to hold the log's lock, or not to: it cannot be seen", async () => {
    await expect(sql(standby.url, "select from tidemark.log_holders()")).rejects.toMatchObject({
      code: "25006",
      hint: expect.stringContaining("settled_position()")
    })
  })
})

describe("on a logical replica", () => {
  beforeAll(async () => {
    const emptied = TABLES.filter((one) => one !== "tidemark.events")
    await sql(place("replica"), `truncate ${emptied.join(", ")}`)
    await sql(place("origin"), `create publication tidemark for table ${TABLES.join(", ")}`)
    // A server that subscribes to itself has to make the slot apart.
    await sql(place("origin"), `select pg_create_logical_replication_slot('${SLOT}', 'pgoutput')`)
    await sql(
      place("replica"),
      `create subscription ${SLOT} connection 'host=127.0.0.1 port=${server.port} user=postgres dbname=origin'
       publication tidemark with (create_slot = false, slot_name = '${SLOT}')`
    )
    await arrived(place("replica"), "from tidemark.log")
    await arrived(
      place("replica"),
      "from pg_subscription_rel having count(*) = 6 and bool_and(srsubstate = 'r')"
    )
  })

  test("read_log() gives what was written down as settled, and settle() writes down nothing beyond it", () =>
    withAppendUnderWay(place("origin"), place("replica"), async () => {
      expect(await typesRead(place("replica"))).toEqual(["First"])
      expect(await sql(place("replica"), "select tidemark.settle('100 ms')::integer as at")).toEqual([
        { at: 1 }
      ])
      expect(await settledAt(place("replica"))).toBe(1)
    }))
})
