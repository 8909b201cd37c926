import { describe, expect, test } from "vitest"
import { until } from "../../support/eventually.ts"
import { type Session, testLog } from "../test-log.ts"

// Rule S1: whoever appends holds the log's lock before it draws a position. Who may not have the lock draws nothing.

const log = testLog()

const lastDrawn = async () =>
  (await log.db.query("select last_value, is_called from tidemark.log_position"))[0]

const somebodyWaits = () =>
  until(
    async () =>
      (
        await log.db.query(
          "select from pg_locks where locktype = 'advisory' and not granted and database = (select oid from pg_database where datname = current_database())"
        )
      ).length > 0,
    { what: "an append to wait for the log's lock" }
  )

const event = (id = "gen_random_uuid()") => `(${id}, 'raw-1', 1, 'Raw', '{}')`
const columns = "(id, stream, version, type, data)"

const inSession = (sql: string) => async () => {
  const session: Session = await log.session()
  await session.query("begin")
  await session.query(sql)
  await session.query("rollback")
}

const emitTo = (stream: string, count: number) => () =>
  log.engine.emit(
    stream,
    Array.from({ length: count }, () => ({ type: "Made" }))
  )

describe("without the log's lock no position is drawn", () => {
  test.each<readonly [string, () => Promise<unknown>]>([
    ["by the emit of an event to a stream that exists", emitTo("order-there", 1)],
    ["by the emit of an event to a new stream", emitTo("order-new", 1)],
    ["by the emit of several events", emitTo("order-there", 3)],
    ["by the emit of telemetry", emitTo("beat-1", 1)],
    [
      "in a transaction of the engine",
      () => log.engine.transaction(async (tx) => tx.emit("order-there", { type: "Made" }))
    ],
    ["by append_events", inSession("select append_events('order-there', '[{\"type\": \"Made\"}]')")],
    ["by an insert of values", inSession(`insert into events ${columns} values ${event()}`)],
    [
      "by an insert that draws by itself",
      inSession(
        `insert into events (position, id, stream, version, type, data) values (nextval('log_position'), gen_random_uuid(), 'raw-1', 1, 'Raw', '{}')`
      )
    ],
    [
      "by an insert of a query",
      inSession(
        `insert into events ${columns} select gen_random_uuid(), 'raw-1', 1, 'Raw', '{}' from generate_series(1, 1)`
      )
    ],
    [
      "by an insert in a CTE",
      inSession(
        `with made as (insert into events ${columns} values ${event()} returning position) select * from made`
      )
    ],
    [
      "by a prepared insert",
      inSession(`prepare raw as insert into events ${columns} values ${event()}; execute raw; deallocate raw`)
    ],
    ["by an insert into telemetry", inSession(`insert into telemetry ${columns} values ${event()}`)],
    [
      "by an insert into a partition of telemetry",
      inSession(`insert into telemetry_0 ${columns} values ${event()}`)
    ]
  ])("%s", async (_, append) => {
    await log.db.query("insert into tidemark.categories values ('beat', true) on conflict do nothing")
    await log.engine.emit("order-there", { type: "Before" })
    const holder = await log.session()
    await holder.query("select pg_advisory_lock(lock_key) from log")
    const before = await lastDrawn()
    const appending = append()
    await somebodyWaits()
    expect(await lastDrawn()).toEqual(before)
    await holder.query("select pg_advisory_unlock(lock_key) from log")
    await appending
  })
})
