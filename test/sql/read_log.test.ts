import { describe, expect, test } from "vitest"
import { inTime, until } from "../support/eventually.ts"
import { testLog, upTo } from "../log/test-log.ts"

const log = testLog()

const head = async () =>
  Number(
    (
      await log.db.query<{ at: string }>("select coalesce(max(position), 0) as at from tidemark.log_events")
    )[0]!.at
  )

const read = async (after: number, batch = 1000, patience = "1 second") =>
  (
    await log.db.query<{ type: string }>("select type from tidemark.read_log($1, $2, $3::interval)", [
      after,
      batch,
      patience
    ])
  ).map(({ type }) => type)

const emit = (...types: ReadonlyArray<string>) =>
  log.engine.emit(
    log.stream(),
    types.map((type) => ({ type }))
  )

describe("read_log", () => {
  test("gives the settled events after a position, in order, of both classes", async () => {
    await log.db.query("select tidemark.declare_category('beat', true)")
    const before = await head()
    await emit("A", "B")
    await log.engine.emit(log.stream("beat"), { type: "Beat" })
    await emit("C")
    expect(await read(before)).toEqual(["A", "B", "Beat", "C"])
    expect(await read(before + 1, 2)).toEqual(["B", "Beat"])
    expect(await read(await head())).toEqual([])
  })

  test("gives every event once when it is called again with the last position", async () => {
    const before = await head()
    await Promise.all(upTo(50).map((n) => emit(`N${n}`)))
    const seen: Array<string> = []
    let at = before
    for (;;) {
      const rows = await log.db.query<{ position: string; type: string }>(
        "select * from tidemark.read_log($1, 7)",
        [at]
      )
      if (rows.length === 0) break
      seen.push(...rows.map(({ type }) => type))
      at = Number(rows.at(-1)!.position)
    }
    expect(seen.toSorted()).toEqual(
      upTo(50)
        .map((n) => `N${n}`)
        .toSorted()
    )
  })

  test("gives rows as the view log_events has them", async () => {
    const before = await head()
    await emit("A")
    const all = await log.db.query("select * from tidemark.log_events where position > $1", [before])
    expect(await log.db.query("select * from tidemark.read_log($1)", [before])).toEqual(all)
  })

  test("waits for an append under way, and then gives it in its place", async () => {
    const before = await head()
    const session = await log.session()
    await session.query("begin")
    await session.query('select append_events($1, \'[{"type": "Slow"}]\')', [log.stream()])
    await emit("Fast")
    const reading = read(before, 10, "10 seconds")
    const looking =
      "select from pg_stat_activity where query like '%read_log%' and wait_event = 'PgSleep' and datname = current_database()"
    await until(async () => (await log.db.query(looking)).length > 0, { what: "read_log to wait" })
    await session.query("commit")
    expect(await reading).toEqual(["Slow", "Fast"])
  })

  test("waits no longer than it is told, and then gives what is settled for sure", async () => {
    await log.db.query("select tidemark.settle()")
    const before = await head()
    const session = await log.session()
    await session.query("begin")
    await session.query('select append_events($1, \'[{"type": "Slow"}]\')', [log.stream()])
    await emit("Fast")
    expect(await inTime(read(before, 10, "20 ms"), { within: 1_000 })).toEqual([])
    await session.query("rollback")
    expect(await read(before)).toEqual(["Fast"])
  })

  test.each(["repeatable read", "serializable"])(
    "raises TM003 in a %s transaction, with a way out",
    async (level) => {
      const session = await log.session()
      await session.query(`begin isolation level ${level}`)
      await expect(session.query("select * from read_log()")).rejects.toMatchObject({
        code: "TM003",
        hint: expect.stringContaining("settled_position()")
      })
      await session.query("rollback")
    }
  )
})

describe("settled_position", () => {
  test("is what settle() wrote down, and never goes back", async () => {
    await emit("A")
    const [row] = await log.db.query<{ at: string }>("select tidemark.settle() as at")
    expect(Number(row!.at)).toBe(await head())
    const stored = () => log.db.query("select tidemark.settled_position() as at")
    expect(await stored()).toEqual([row])
    await log.db.query("select tidemark.record_settled($1)", [1])
    expect(await stored()).toEqual([row])
  })

  test("belongs to the snapshot of its query in any isolation level", async () => {
    await emit("A")
    await log.db.query("select tidemark.settle()")
    const session = await log.session()
    await session.query("begin isolation level repeatable read")
    const stored = () => session.query("select settled_position() as at")
    const before = await stored()
    await emit("B")
    await log.db.query("select tidemark.settle()")
    expect(await stored()).toEqual(before)
    const visible = "select count(*)::integer as n from log_events where position <= settled_position()"
    expect(await session.query(visible)).toEqual([{ n: Number(before[0]!["at"]) - (await gaps()) }])
    await session.query("rollback")
  })

  test("is written down by a running engine within a second or so", async () => {
    const subscription = await log.engine.subscribe({}, () => {})
    await emit("A")
    const at = await head()
    await until(async () => {
      const [row] = await log.db.query<{ at: string }>("select tidemark.settled_position() as at")
      return Number(row!.at) >= at
    })
    await subscription.stop()
  })

  test("does not stand still while nobody else writes it: a writer of it is not waited for", async () => {
    const session = await log.session()
    await session.query("begin")
    await session.query("select from settled for update")
    await emit("A")
    const [row] = await inTime(log.db.query<{ at: string }>("select tidemark.settle() as at"), {
      within: 2_000
    })
    expect(Number(row!.at)).toBe(await head())
    await session.query("rollback")
  })
})

/** How many numbers up to the settled position belong to no event. */
const gaps = async () => {
  const [row] = await log.db.query<{ n: number }>(
    "select (select max(position) from tidemark.log_events)::integer - count(*)::integer as n from tidemark.log_events"
  )
  return row!.n
}
