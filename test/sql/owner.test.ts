import { readFileSync } from "node:fs"
import { afterAll, beforeAll, describe, expect, test } from "vitest"
import { migrate } from "../../src/engine/migration.ts"
import { type Engine, open } from "../../src/index.ts"
import { packageFile } from "../../src/postgres/sql-file.ts"
import { connected, quoted } from "../support/admin.ts"
import { testDatabase } from "../support/database.ts"
import { collector } from "../support/eventually.ts"

// schema/roles/owner.sql: a role that owns one schema, and nothing else of the database, can run a log in it.

const db = testDatabase()
const owner = `tidemark_owner_${process.pid} "s`
const schema = "owned_log"

let url = ""
let asOwner = ""
let engine: Engine | undefined

const sql = (text: string, at = url) => connected(at, async (client) => (await client.query(text)).rows)

const script = (): string =>
  readFileSync(packageFile("#schema/roles/owner.sql"), "utf8")
    .replaceAll(':"schema"', quoted(schema))
    .replaceAll(':"role"', quoted(owner))

beforeAll(async () => {
  url = await db.fresh({ empty: true })
  const role = `-c role=${owner.replaceAll(/[\\ ]/g, "\\$&")}`
  asOwner = `${url}${url.includes("?") ? "&" : "?"}options=${encodeURIComponent(role)}`
  await sql(`create role ${quoted(owner)}`)
  await sql(script())
  await migrate({ database: asOwner, schema })
  engine = await open({ database: asOwner, schema, logger: false })
})

afterAll(async () => {
  await engine?.close()
  await sql(`drop owned by ${quoted(owner)} cascade`)
  await sql(`drop role ${quoted(owner)}`)
})

describe("a role that owner.sql has made the owner", () => {
  test("is no superuser", async () => {
    expect(
      await sql(
        "select current_user as name, (select rolsuper from pg_roles where rolname = current_user) as super",
        asOwner
      )
    ).toEqual([{ name: owner, super: false }])
  })

  test("migrates, and owns all that a log consists of", async () => {
    const others = await sql(
      `select relname as name from pg_class where relnamespace = '${quoted(schema)}'::regnamespace and relowner <> '${quoted(owner)}'::regrole
       union all
       select proname from pg_proc where pronamespace = '${quoted(schema)}'::regnamespace and proowner <> '${quoted(owner)}'::regrole`
    )
    expect(others).toEqual([])
    expect(
      await sql(
        `select count(*) > 8 as made from ${quoted(schema)}.migrations, pg_class where relnamespace = '${quoted(schema)}'::regnamespace`
      )
    ).toEqual([{ made: true }])
  })

  test("appends events of both classes, reads, settles and follows them", async () => {
    const heard = collector<string>()
    const subscription = await engine!.subscribe({ from: "start" }, ({ type }) => heard.push(type))
    await engine!.emit("order-1", { type: "Made" }, { expected: "none" })
    await engine!.emit("heartbeat-1", { type: "Beat" })
    await sql(`select from ${quoted(schema)}.append_events('order-1', '[{"type": "Plain"}]', '1')`, asOwner)
    expect(await heard.reaches(3)).toEqual(["Made", "Beat", "Plain"])
    await subscription.stop()
    expect(await sql(`select ${quoted(schema)}.settle()::integer as at`, asOwner)).toEqual([{ at: 3 }])
    expect(await sql(`select type from ${quoted(schema)}.read_log()`, asOwner)).toHaveLength(3)
    expect(await sql(`select type from ${quoted(schema)}.read_stream('order-1')`, asOwner)).toEqual([
      { type: "Made" },
      { type: "Plain" }
    ])
  })

  test("may be made it again, and migrates again, with nothing to do", async () => {
    await sql(script())
    expect((await migrate({ database: asOwner, schema })).applied).toEqual([])
  })
})
