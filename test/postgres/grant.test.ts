import pg from "pg"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { migrate } from "../../src/engine/migration.ts"
import { quoted } from "../support/admin.ts"
import { testDatabase } from "../support/database.ts"

const db = testDatabase()
const made = `tidemark_grant_${process.pid}`
const writer = `${made} writer"s`
const reader = `${made}_reader`
const nobody = `${made}_nobody`

/** What a statement fails with for a role; undefined where it is allowed. */
const refusal = async (role: string, sql: string): Promise<string | undefined> => {
  const client = new pg.Client({ connectionString: db.url, application_name: "granted" })
  await client.connect()
  try {
    await client.query(`set role ${quoted(role)}`)
    await client.query(sql)
    return undefined
  } catch (thrown) {
    return (thrown as pg.DatabaseError).code
  } finally {
    await client.end()
  }
}

const DENIED = "42501"
const append = `select * from tidemark.append_events('agent-1', '[{"type": "Woke"}]')`
const rawInsert =
  "insert into tidemark.events (id, stream, version, type, data) values (gen_random_uuid(), 'agent-1', 9, 'Woke', '{}')"

describe("the roles of a log", () => {
  beforeAll(async () => {
    for (const role of [writer, reader, nobody]) await db.query(`create role ${quoted(role)}`)
    await migrate({ database: db.url, writers: [writer], readers: [reader] })
    await db.query(append)
  })
  afterAll(async () => {
    for (const role of [writer, reader, nobody]) {
      await db.query(`drop owned by ${quoted(role)}`)
      await db.query(`drop role ${quoted(role)}`)
    }
  })

  it("let a writer append through the functions, and read", async () => {
    expect(await refusal(writer, append)).toBeUndefined()
    expect(await refusal(writer, "select * from tidemark.read_log()")).toBeUndefined()
    expect(await refusal(writer, "select tidemark.settle()")).toBeUndefined()
  })

  it.each([
    ["insert past the functions", rawInsert],
    ["draw a position", "select nextval('tidemark.log_position')"],
    ["change a head", "update tidemark.streams set version = 7"],
    ["change an event", "update tidemark.events set data = '{}'"],
    ["delete an event", "delete from tidemark.events"],
    ["empty the log", "truncate tidemark.events"],
    ["change the class of a category", "select tidemark.declare_category('other', true)"]
  ])("do not let a writer %s", async (_, sql) => {
    expect(await refusal(writer, sql)).toBe(DENIED)
  })

  it("let a reader read, and nothing else", async () => {
    expect(await refusal(reader, "select * from tidemark.read_log()")).toBeUndefined()
    expect(await refusal(reader, "select * from tidemark.read_stream('agent-1')")).toBeUndefined()
    expect(await refusal(reader, append)).toBe(DENIED)
    expect(await refusal(reader, "select tidemark.record_settled(1000000)")).toBe(DENIED)
  })

  it("let nobody else in", async () => {
    expect(await refusal(nobody, "select * from tidemark.log_events")).toBe(DENIED)
    expect(await refusal(nobody, append)).toBe(DENIED)
  })

  it("may be granted twice", async () => {
    expect((await migrate({ database: db.url, writers: [writer], readers: [reader] })).applied).toEqual([])
  })
})
