import { randomUUID } from "node:crypto"
import { afterAll, beforeAll, expect, test } from "vitest"
import { migrate } from "../../src/engine/migration.ts"
import { eventsOf, openSession, type Session, testLog } from "../log/test-log.ts"

// The functions that act with their owner's rights find PostgreSQL's own objects first, then the log's, a session's last:
// whatever a writer makes, under whatever name, they do what they do.

const log = testLog()
const role = `shadowing_${process.pid}`
let writer: Session

beforeAll(async () => {
  await log.db.query(`create role ${role}`)
  await log.db.query("select tidemark.declare_category('beat', true)")
  await migrate({ database: log.db.url, writers: [role] })
  writer = await openSession(log.db.url)
  await writer.query(`set role ${role}`)
})

afterAll(async () => {
  await writer.close()
  await log.db.query(`drop owned by ${role}`)
  await log.db.query(`drop role ${role}`)
})

/** Appends by every function, and checks that it was a right append. */
const appendsAreRight = async () => {
  const before = Date.now() - 60_000
  for (const stream of [log.stream(), log.stream("beat")]) {
    await writer.query('select tidemark.append_events($1, \'[{"type": "One"}]\')', [stream])
    await writer.query("select tidemark.append_lone($1, 1, $2, 'Two', '{\"is\": 2}', '{a}', '{}', 1)", [
      stream,
      randomUUID()
    ])
    await writer.query(
      "select tidemark.append_batch(array[$1], '{1}', '{1}', '{2}', array[$2::uuid], '{Three}', '{\"{}\"}', array['{\"a b\"}'], '{\"{}\"}', '{1}', 1000)",
      [stream, randomUUID()]
    )
    const events = await eventsOf(log.engine, stream)
    expect(events).toMatchObject([
      { version: 1, type: "One" },
      { version: 2, type: "Two", data: { is: 2 }, labels: ["a"] },
      { version: 3, type: "Three", labels: ["a b"] }
    ])
    for (const event of events) expect(event.recordedAt.getTime()).toBeGreaterThan(before)
    expect(events.map(({ position }) => position)).toEqual(
      events.map(({ position }) => position).toSorted((a, b) => a - b)
    )
    expect(await log.db.query("select version from tidemark.streams where stream = $1", [stream])).toEqual([
      { version: "3" }
    ])
  }
  await writer.query(
    "select tidemark.record_settled(1), tidemark.free_heads('{order-1}'), tidemark.enter_epoch()"
  )
}

test("a writer's temporary tables and functions with names of the log's and of PostgreSQL's change nothing", async () => {
  const tables = await log.db.query<{ name: string }>(
    "select relname as name from pg_class where relnamespace = 'tidemark'::regnamespace and relkind in ('r', 'p', 'v')"
  )
  expect(tables.length).toBeGreaterThan(8)
  await writer.query("set search_path = pg_temp, tidemark")
  for (const { name } of tables) {
    await writer.query(`create temporary table ${name} (like tidemark.${name} including defaults)`)
    await writer.query(`insert into pg_temp.${name} select * from tidemark.${name} limit 1`)
  }
  for (const name of ["pg_class", "pg_proc", "pg_database", "pg_trigger"])
    await writer.query(`create temporary table ${name} (oid oid, relname name, datname name)`)
  await writer.query("create temporary table telemetry_2 (position bigint)")
  await writer.query(
    "create function pg_temp.clock_timestamp() returns timestamptz language sql as $$ select '1999-01-01'::timestamptz $$"
  )
  await writer.query(
    "create function pg_temp.judge_batch(text[]) returns void language sql as $$ select 1 / 0 $$"
  )
  await appendsAreRight()
  await log.db.query("select setval('tidemark.log_position', 15000000)")
  await appendsAreRight()
  for (const { name } of tables)
    expect((await writer.query<{ n: string }>(`select count(*) as n from pg_temp.${name}`))[0]!.n).toMatch(
      /^[01]$/
    )
})

test("every function that acts with its owner's rights has a search path: the log's schema, and a session's last", async () => {
  const definers = await log.db.query<{ name: string; path: string | null }>(
    `select proname as name, (select setting from unnest(proconfig) as setting where setting like 'search_path=%') as path
     from pg_proc where pronamespace = 'tidemark'::regnamespace and prosecdef`
  )
  expect(definers.length).toBeGreaterThan(6)
  for (const definer of definers) expect(definer).toMatchObject({ path: "search_path=tidemark, pg_temp" })
})

// The last: what it makes stays until the database is dropped.
test("nor do functions and operators in the log's own schema with names of PostgreSQL's", async () => {
  const fakes = [
    "function clock_timestamp() returns timestamptz language sql as $$ select '1999-01-01'::timestamptz $$",
    "function nextval(regclass) returns bigint language sql as $$ select 1::bigint $$",
    "function set_config(text, text, boolean) returns text language sql as $$ select 1 / 0 || '' $$",
    "function length(text) returns integer language sql as $$ select 1 / 0 $$",
    "function differs(text, text) returns boolean language sql as $$ select 1 / 0 = 1 $$",
    "operator = (leftarg = text, rightarg = text, function = differs)",
    "operator ~ (leftarg = text, rightarg = text, function = differs)"
  ]
  const owner = await log.session()
  for (const fake of fakes) await owner.query(`create ${fake}`)
  await writer.query("set search_path = tidemark, pg_catalog")
  await appendsAreRight()
  await expect(
    writer.query("select append_batch('{a b}', '{1}', '{1}', '{2}', '{}', '{}', '{}', '{}', '{}', '{}', 1)")
  ).rejects.toMatchObject({ code: "TM006" })
})
