import { beforeAll, describe, expect, test } from "vitest"
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
  const blank = "update events set data = '{}', meta = '{}' where stream = 'order-1'"
  const redacting = async (statement: string) => {
    const session = await log.session()
    await session.query("begin")
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
    await expect(redacting(`update events set ${change} where stream = 'order-1'`)).rejects.toMatchObject({
      code: "TM001"
    })
  })

  test("may not delete an event", async () => {
    await expect(redacting("delete from events")).rejects.toMatchObject({ code: "TM001" })
  })

  test("may blank what an event says", async () => {
    const before = await eventsOf(log.engine, "order-1")
    await redacting(blank)
    expect(await eventsOf(log.engine, "order-1")).toEqual([{ ...before[0], data: {}, meta: {} }])
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
  expect(guarded.map(({ name }) => name)).toEqual([
    "events",
    "telemetry",
    "telemetry_0",
    "telemetry_1",
    "telemetry_2"
  ])
  for (const { guards } of guarded) {
    expect(guards).toEqual([
      "events_are_immutable",
      "events_are_never_deleted",
      "events_are_never_truncated",
      "lock_before_position"
    ])
  }
})
