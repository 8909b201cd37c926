import { randomUUID } from "node:crypto"
import { beforeAll, describe, expect, test } from "vitest"
import { testLog } from "../log/test-log.ts"

// Rule S11: an event must not be seen before it is durable, whatever the session has chosen for its commits.

const log = testLog()

const events =
  "select * from append_events($1, jsonb_build_array(jsonb_build_object('type', 'Made', 'id', $2::uuid)))"
const batch = `select * from append_batch(array[$1], array[1], array[1], array[null::bigint], array[$2::uuid],
  array['Made'], array['{}'::jsonb], array['{}'], array['{}'::jsonb], array[1], null)`
const lone = "select * from append_lone($1, null, $2, 'Made', '{}', '{}', '{}', 1)"

type Append = (stream: string, id: string) => Promise<unknown>

const bySession =
  (sql: string): Append =>
  async (stream, id) =>
    (await log.session()).query(sql, [stream, id])

/** Each way in which an event comes into the log. */
const paths: ReadonlyArray<readonly [string, Append]> = [
  ["append_events", bySession(events)],
  ["append_batch", bySession(batch)],
  ["append_lone", bySession(lone)],
  ["emit", async (stream, id) => (await log.open()).emit(stream, { type: "Made", id })],
  [
    "emit of several",
    async (stream, id) => (await log.open()).emit(stream, [{ type: "Made", id }, { type: "B" }])
  ],
  [
    "tx",
    async (stream, id) => (await log.open()).transaction(async (tx) => tx.emit(stream, { type: "Made", id }))
  ]
]

beforeAll(async () => {
  // At the commit itself, in the transaction that makes the events visible.
  await log.db.query("create table public.commits (id uuid, setting text)")
  await log.db.query(`create function public.note_commit() returns trigger language plpgsql as $$
    begin insert into public.commits values (new.id, current_setting('synchronous_commit')); return null; end $$`)
  for (const table of ["events", "telemetry"])
    await log.db.query(`create constraint trigger note_commit after insert on tidemark.${table}
      deferrable initially deferred for each row execute function public.note_commit()`)
  await log.db.query(`alter database ${log.db.name} set synchronous_commit = off`)
  await log.db.query("select tidemark.declare_category('beat', true)")
})

describe.each(["order", "beat"])("where synchronous_commit is off, an event of category %s", (category) => {
  test.each(paths)("by %s is committed as durably as 'local'", async (_, append) => {
    const stream = log.stream(category)
    // The second goes to a stream that is there: the short way.
    for (const id of [randomUUID(), randomUUID()]) {
      await append(stream, id)
      expect(await log.db.query("select setting from public.commits where id = $1", [id])).toEqual([
        { setting: "local" }
      ])
    }
    const session = await log.session()
    expect(await session.query("show synchronous_commit")).toEqual([{ synchronous_commit: "off" }])
  })
})
