import { beforeAll, describe, expect, test } from "vitest"
import { migrate } from "../../src/engine/migration.ts"
import { eventsOf, testLog } from "../log/test-log.ts"

// Events are immutable. Each guard stands on each table of events, partitions included.

const log = testLog()

const insert = (table: string) =>
  `insert into ${table} (position, id, stream, version, type, data)
    values (nextval('log_position'), gen_random_uuid(), 'guarded-1', 1, 'Raw', '{}')`

beforeAll(async () => {
  await log.db.query("select tidemark.declare_category('beat', true)")
  await log.engine.emit("order-1", { type: "Made", data: { name: "Ada" } }, { meta: { actor: "x" } })
  await log.engine.emit("beat-1", { type: "Beat" })
})

const tables = ["events", "telemetry", "telemetry_0"]

describe.each(tables)("an event in %s", (table) => {
  test.each([
    ["changed", `update ${table} set data = '{}'`],
    ["changed in place or order", `update ${table} set position = position + 1000`],
    ["deleted", `delete from ${table}`],
    ["deleted by a condition that matches none", `delete from ${table} where false`],
    ["truncated", `truncate ${table}`],
    ["truncated with everything that hangs on it", `truncate ${table} cascade`]
  ])("cannot be %s", async (_, statement) => {
    const before = await log.db.query("select * from tidemark.log_events order by position")
    const session = await log.session()
    await expect(session.query(statement)).rejects.toMatchObject({
      code: "TM001",
      hint: expect.stringMatching(/Emit another event|can only be redacted/)
    })
    expect(await log.db.query("select * from tidemark.log_events order by position")).toEqual(before)
  })

  test("cannot be replaced by an upsert or a merge", async () => {
    const session = await log.session()
    const same = `insert into ${table} select * from ${table} where stream in ('order-1', 'beat-1')
      on conflict (position) do update set data = '{"forged": true}'`
    await expect(session.query(same)).rejects.toMatchObject({ code: "TM001" })
    const merge = `merge into ${table} as t using (select 1) as s on t.version = 1 when matched then delete`
    await expect(session.query(merge)).rejects.toMatchObject({ code: "TM001" })
  })

  test("is inserted under the log's lock, whoever inserts it and however", async () => {
    const session = await log.session()
    await session.query("begin")
    await session.query(insert(table))
    expect(await session.query("select pid from log_holders()")).toEqual([{ pid: session.pid }])
    await session.query("rollback")
  })
})

describe("redaction", () => {
  const blanked = "data = '{}', labels = '{}', meta = '{}'"
  const blank = `update events set ${blanked} where stream = 'order-1'`
  const redacting = async (statement: string, role?: string) => {
    const session = await log.session()
    await session.query("begin")
    if (role !== undefined) await session.query(`set local role ${role}`)
    await session.query("set local tidemark.redaction = 'on'")
    await session.query(statement)
    await session.query("commit")
  }

  test("is refused to who does not say so for the transaction", async () => {
    const session = await log.session()
    await session.query("begin; set local tidemark.redaction = 'on'; commit")
    await expect(session.query(blank)).rejects.toMatchObject({ code: "TM001" })
  })

  test.each([
    "position = -1",
    "id = gen_random_uuid()",
    "stream = 'order-2'",
    "version = 9",
    "type = 'Other'",
    "recorded_at = now()",
    "schema_version = 9"
  ])("may not touch what, when or where an event was: %s", async (change) => {
    await expect(
      redacting(`update events set ${blanked}, ${change} where stream = 'order-1'`)
    ).rejects.toMatchObject({ code: "TM001" })
  })

  test.each([
    ["data", `data = '{"name": "Eve"}', labels = '{}', meta = '{}'`],
    ["data, though marked", `data = '{"redacted": true, "name": "Eve"}', labels = '{}', meta = '{}'`],
    ["data that is null", `data = 'null', labels = '{}', meta = '{}'`],
    ["labels", `data = '{}', labels = '{vip}', meta = '{}'`],
    ["meta", `data = '{}', labels = '{}', meta = '{"actor": "eve"}'`]
  ])("may not say anything in its place: %s", async (_, change) => {
    const before = await eventsOf(log.engine, "order-1")
    const refusal = await redacting(`update events set ${change} where stream = 'order-1'`).catch(
      (error) => error
    )
    expect(refusal).toMatchObject({ code: "TM001" })
    expect(JSON.parse(refusal.detail)).toEqual({
      table: "events",
      operation: "update",
      position: before[0]!.position
    })
    expect(await eventsOf(log.engine, "order-1")).toEqual(before)
  })

  test("may not delete an event", async () => {
    const refusal = await redacting("delete from events").catch((error) => error)
    expect(refusal).toMatchObject({ code: "TM001" })
    expect(JSON.parse(refusal.detail)).toEqual({ table: "events", operation: "delete" })
  })

  test("is the owner's alone, whatever rights others have; a definer function of the owner's is the owner", async () => {
    const role = `redacting_${process.pid}`
    await log.db.query(`create role ${role}`)
    try {
      await migrate({ database: log.db.url, writers: [role] })
      await expect(redacting(blank, role)).rejects.toMatchObject({ code: "42501" })
      await log.db.query(`grant update on all tables in schema tidemark to ${role}`)
      for (const table of tables)
        await expect(redacting(`update ${table} set ${blanked}`, role)).rejects.toMatchObject({
          code: "TM001"
        })

      await log.engine.emit("order-2", { type: "Made", data: { name: "Ada" }, labels: ["vip"] })
      await log.db.query(`create function tidemark.blank_all() returns void language sql security definer
        set search_path = tidemark as $$
          update events set data = '{"redacted": true}', labels = '{}', meta = '{}' where stream = 'order-2' $$`)
      await redacting("select blank_all()", role)
      expect(await eventsOf(log.engine, "order-2")).toMatchObject([
        { data: { redacted: true }, labels: [], meta: {} }
      ])
    } finally {
      await log.db.query("drop function if exists tidemark.blank_all")
      await log.db.query(`drop owned by ${role}`)
      await log.db.query(`drop role ${role}`)
    }
  })

  test.each([
    ["events", "order-1"],
    ["telemetry", "beat-1"]
  ])("may blank what an event in %s says", async (table, stream) => {
    const [before] = await eventsOf(log.engine, stream)
    await redacting(`update ${table} set ${blanked} where stream = '${stream}' and version = 1`)
    const [after] = await eventsOf(log.engine, stream)
    expect(after).toEqual({ ...before, data: {}, labels: [], meta: {} })
  })
})

test("every table of events has every guard, and a new partition too", async () => {
  await log.db.query("select setval('tidemark.log_position', 15000000)")
  await log.engine.emit("beat-1", { type: "Beat" })
  const guarded = await log.db.query<{ name: string; guards: ReadonlyArray<string> }>(
    `select c.relname as name, array_agg(t.tgname::text order by t.tgname) as guards
     from pg_class c left join pg_trigger t on t.tgrelid = c.oid
     where c.relnamespace = 'tidemark'::regnamespace and c.relkind in ('r', 'p')
       and (c.relname in ('events', 'telemetry') or c.relispartition)
     group by 1 order by 1`
  )
  const named = guarded.map(({ name }) => name)
  // One more may have been made ahead meanwhile.
  expect(named).toEqual(
    expect.arrayContaining(["events", "telemetry", "telemetry_0", "telemetry_1", "telemetry_2"])
  )
  for (const { guards } of guarded) {
    expect(guards).toEqual([
      "events_are_immutable",
      "events_are_never_deleted",
      "events_are_never_truncated",
      "lock_before_position"
    ])
  }
})
