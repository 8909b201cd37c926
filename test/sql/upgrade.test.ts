import { readdirSync, readFileSync } from "node:fs"
import { dirname, join } from "node:path"
import { beforeAll, describe, expect, test } from "vitest"
import { migrate } from "../../src/engine/migration.ts"
import { open } from "../../src/index.ts"
import { packageFile, withSchema } from "../../src/postgres/sql-file.ts"
import { connected } from "../support/admin.ts"
import { testDatabase } from "../support/database.ts"
import { collector } from "../support/eventually.ts"
import { upTo } from "../log/test-log.ts"
import { catalog } from "./catalog.ts"

// A log that an older release made, and went on with for a while, is brought up to date in place.

const db = testDatabase()
const schema = "tidemark"
const OLD = ["0001_log", "0002_projections"]

const folder = dirname(packageFile("#schema/README.md"))
const sqlIn = (name: string): ReadonlyArray<string> =>
  readdirSync(join(folder, name))
    .toSorted()
    .map((file) => withSchema(readFileSync(join(folder, name, file), "utf8"), schema))

/** Functions that an older release cannot have had, since they return what a later migration makes. */
const LATER = /\bsetof agent_state\b/

let url = ""
let applied: ReadonlyArray<string> = []
const sql = (text: string, params: ReadonlyArray<unknown> = []) =>
  connected(url, async (client) => (await client.query(text, [...params])).rows)

/** What is not a category, and was not refused before 0003. */
const BAD_CATEGORY = "1 bad"

const makeOldLog = () =>
  connected(url, async (client) => {
    const said = await db.query<{ name: string; hash: string }>("select name, hash from tidemark.migrations")
    await client.query(`begin; create schema ${schema}; set local search_path = ${schema}, pg_temp;
      set local check_function_bodies = off;
      create table migrations (name text primary key, hash text not null, applied_at timestamptz not null default clock_timestamp())`)
    for (const name of OLD) {
      const text = readFileSync(join(folder, "migrations", `${name}.sql`), "utf8")
      await client.query(withSchema(text, schema))
      const { hash } = said.find((one) => one.name === name)!
      await client.query("insert into migrations (name, hash) values ($1, $2)", [name, hash])
    }
    const functions = sqlIn("functions").filter((text) => !LATER.test(text))
    for (const text of [...functions, ...sqlIn("guards")]) await client.query(text)
    await client.query("insert into migrations (name, hash) values ('functions', 'older')")
    await client.query("select prepare_log()")
    await client.query("commit")
  })

const append = (stream: string, type: string) =>
  sql("select from tidemark.append_events($1, jsonb_build_array(jsonb_build_object('type', $2::text)))", [
    stream,
    type
  ])

const everything = () => sql("select * from tidemark.log_events order by position")

let before: ReadonlyArray<unknown> = []
let token = ""

beforeAll(async () => {
  url = await db.fresh({ empty: true })
  await makeOldLog()
  await sql("select tidemark.declare_category('beat', true)")
  await sql("insert into tidemark.categories (category, telemetry) values ($1, true)", [BAD_CATEGORY])
  for (const n of upTo(5)) await append("order-1", `Old${n}`)
  await append("beat-1", "OldBeat")
  await sql("select tidemark.settle()")
  before = await everything()
  const [log] = await sql("select replace(log_id::text, '-', '') as id, epoch from tidemark.log")
  // As every release so far has written it: callers keep these for long.
  token = `tm1.${log.id}.${log.epoch}.4`
  applied = (await migrate({ database: url })).applied
})

describe("a log of an older release, brought up to date,", () => {
  test("got what it lacked, and nothing twice", async () => {
    expect(applied[0]).toBe("0003_category_names")
    expect(applied.at(-1)).toBe("functions")
    expect(applied.filter((name) => OLD.includes(name))).toEqual([])
    expect((await migrate({ database: url })).applied).toEqual([])
  })

  test("has the same catalogue as a new one", async () => {
    const upgraded = await connected(url, (client) =>
      catalog(async (text, params = []) => (await client.query(text, [...params])).rows, schema)
    )
    expect(upgraded).toBe(await catalog(db.query, schema))
  })

  test("has every event as it was, in the same epoch, and settled as far", async () => {
    expect(before).toHaveLength(6)
    expect(await everything()).toEqual(before)
    expect(await sql("select epoch from tidemark.epochs")).toEqual([{ epoch: 1 }])
    expect(await sql("select tidemark.settled_position()::integer as at")).toEqual([{ at: 6 }])
  })

  test("keeps a category that would not be taken now, and takes no other such", async () => {
    expect(
      await sql("select telemetry from tidemark.categories where category = $1", [BAD_CATEGORY])
    ).toEqual([{ telemetry: true }])
    await expect(sql("select tidemark.declare_category('2 bad', true)")).rejects.toMatchObject({
      code: "23514"
    })
  })

  test("is read, resumed from a token of before, and appended to", async () => {
    const engine = await open({ database: url, logger: false })
    try {
      const read: Array<string> = []
      for await (const { type } of engine.read("order-1")) read.push(type)
      expect(read).toEqual(upTo(5).map((n) => `Old${n}`))
      const heard = collector<string>()
      const resumed = await engine.subscribe({ from: token }, ({ type }) => heard.push(type))
      expect(await heard.reaches(2)).toEqual(["Old5", "OldBeat"])
      await engine.emit("order-1", { type: "New" }, { expected: 5 })
      await engine.emit("beat-1", { type: "NewBeat" }, { expected: 1 })
      expect(await heard.reaches(4)).toEqual(["Old5", "OldBeat", "New", "NewBeat"])
      await resumed.stop()
    } finally {
      await engine.close()
    }
  })
})
