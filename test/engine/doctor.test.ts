import { Schema } from "effect"
import { afterAll, beforeAll, describe, expect, test } from "vitest"
import { migrate } from "../../src/engine/migration.ts"
import { type Engine, eventType, open, projection, rows } from "../../src/index.ts"
import { connected, quoted } from "../support/admin.ts"
import { testDatabase } from "../support/database.ts"
import { until } from "../support/eventually.ts"
import { privateServer } from "../support/server.ts"

const db = testDatabase()
let engine: Engine

beforeAll(async () => {
  engine = await open({ database: db.url, logger: false })
})
afterAll(() => engine.close())

const MEMORY = { memoryBytes: 16 * 1024 ** 3 }

describe("the doctor", () => {
  test("finds what is wrong with the server of the tests, which would lose events with its power", async () => {
    const { findings, judged, version } = await engine.doctor(MEMORY)
    expect(version).toMatch(/^\d+/)
    expect(judged).toBeGreaterThan(40)
    const [worst] = findings
    expect(worst).toMatchObject({ name: "fsync", severity: "problem", found: "off" })
    for (const { statements, remedy } of findings) expect(statements.length > 0 || remedy !== null).toBe(true)
  })

  test("names an append that holds the tail, and its statement frees the readers", async () => {
    const tail = async () => {
      const { findings } = await engine.doctor(MEMORY)
      return findings.find(({ name }) => name === "tail of the log")
    }
    await connected(db.url, async (client) => {
      await client.query("begin")
      const { rows } = await client.query<{ pid: number }>(
        `select pg_backend_pid() as pid from tidemark.append_events('import-1', '[{"type": "Imported"}]')`
      )
      const { pid } = rows[0]!
      await engine.emit("order-1", { type: "Placed" })
      // It has not been long.
      expect(await tail()).toBeUndefined()
      await db.query(`with head as (insert into tidemark.streams values ('order-2', 1, false))
        insert into tidemark.events (id, stream, version, type, data, recorded_at)
        values (gen_random_uuid(), 'order-2', 1, 'Placed', '{}', now() - interval '1 minute')`)
      const held = await until(tail)
      expect(held).toMatchObject({
        severity: "problem",
        found: expect.stringMatching(`^held for \\d+ (s|min) by pid ${pid}$`),
        statements: [`select pg_terminate_backend(${pid});`]
      })
      await db.query(held.statements[0]!)
      await until(async () => (await tail()) === undefined)
    })
  })

  test("sees a read model that stopped, a slot that nobody reads, and parked events", async () => {
    const url = await db.fresh()
    await using own = await open({ database: url, logger: false })
    await own.subscribe(
      { name: "billing", categories: ["order"], from: "start", retry: { attempts: 1 } },
      () => {
        throw new Error("no")
      }
    )
    await own.emit("order-1", { type: "Placed" })
    await until(async () => (await own.subscription("billing").parked()).length === 1)
    await own.project(
      projection({
        name: "broken",
        version: 1,
        events: [eventType("Placed", Schema.Unknown)],
        tables: { text: 'create table :"broken" (id text primary key)' },
        relations: ["broken"],
        model: rows({
          text: 'insert into :"broken" select (1 / (event.position - event.position))::text from :batch event'
        }),
        operations: {}
      })
    )
    const slot = `tidemark_doctor_${process.pid}`
    await connected(url, (client) =>
      client.query("select pg_create_physical_replication_slot($1, true)", [slot])
    )
    try {
      const found = await until(async () => {
        const { findings } = await own.doctor(MEMORY)
        const names = findings.map(({ name }) => name)
        return names.includes("read models") && findings
      })
      expect(found.find(({ name }) => name === "read models")!.found).toContain("broken: ")
      expect(found.find(({ name }) => name === "parked events")).toMatchObject({ found: "1 of billing" })
      const slots = found.find(({ name }) => name === "replication slots")!
      expect(slots.found).toContain(slot)
      const dropping = slots.statements.filter((statement) => statement.includes(slot))
      expect(dropping).toHaveLength(1)
      await connected(url, (client) => client.query(dropping[0]!))
      const after = await own.doctor(MEMORY)
      expect(JSON.stringify(after)).not.toContain(slot)
    } finally {
      await connected(url, (client) =>
        client.query(
          "select pg_drop_replication_slot(slot_name) from pg_replication_slots where slot_name = $1",
          [slot]
        )
      )
    }
  })

  test.each([0, -1, 1.5, Number.NaN, 1024])("refuses %d bytes of memory", async (memoryBytes) => {
    await expect(engine.doctor({ memoryBytes })).rejects.toMatchObject({
      _tag: "InvalidArgument",
      message: expect.stringContaining("memoryBytes is")
    })
  })

  test("tells a role that may not see some settings which advice it did not judge", async () => {
    const role = `tidemark_doctor_${process.pid}`
    await db.query(`create role ${quoted(role)} login password 'secret'`)
    try {
      await migrate({ database: db.url, readers: [role] })
      const url = new URL(db.url)
      url.username = role
      url.password = "secret"
      await using reader = await open({ database: url.href, logger: false })
      const { unseen, findings } = await reader.doctor(MEMORY)
      expect(unseen).toContain("pg_stat_statements")
      expect(findings[0]).toMatchObject({ name: "fsync" })
      await reader.close()
    } finally {
      await db.query(`drop owned by ${quoted(role)}`)
      await db.query(`drop role ${quoted(role)}`)
    }
  })
})

/** What a statement of the doctor changes is gone after a reload, or after a restart, as it says. */
test("its statements run as they are printed, and mend what they say they do", async () => {
  await using server = await privateServer({ fsync: "on" })
  const look = async () => {
    await using own = await open({ database: server.url, logger: false })
    const diagnosis = await own.doctor(MEMORY)
    return diagnosis.findings
  }
  await connected(server.url, async (client) => {
    await client.query("alter system set jit = 'on'")
    await client.query("alter system set enable_seqscan = 'off'")
    await client.query("alter role current_user set statement_timeout = '5s'")
    await client.query("alter database postgres set default_transaction_read_only = 'off'")
    await client.query("select pg_reload_conf()")
  })
  const before = await until(async () => {
    const findings = await look()
    return findings.some(({ name }) => name === "jit") && findings
  })
  const names = (takes: string) => before.filter((one) => one.takes === takes).map(({ name }) => name)
  expect(names("reload")).toEqual(expect.arrayContaining(["jit", "planner methods", "checkpoint_timeout"]))
  expect(names("restart")).toEqual(expect.arrayContaining(["shared_buffers", "wal_buffers"]))
  expect(names("new connections")).toEqual(["statement_timeout"])

  await connected(server.url, async (client) => {
    for (const { statements } of before) for (const statement of statements) await client.query(statement)
    await client.query("select pg_reload_conf()")
  })
  const mended = [...names("reload"), ...names("new connections")]
  const reloaded = await until(async () => {
    const findings = await look()
    return !findings.some(({ name }) => mended.includes(name)) && findings
  })
  const waiting = reloaded.filter(({ takes }) => takes === "restart")
  expect(waiting.map(({ name }) => name).toSorted()).toEqual(names("restart").toSorted())
  for (const { remedy } of waiting) expect(remedy).toContain("once the server is restarted")

  await server.restart()
  expect((await look()).filter(({ statements }) => statements.length > 0)).toEqual([])
})
