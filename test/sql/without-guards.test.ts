import { beforeAll, describe, expect, test } from "vitest"
import { type Engine, open } from "../../src/index.ts"
import { connected } from "../support/admin.ts"
import { collector, inTime } from "../support/eventually.ts"
import { eventsOf, testLog, upTo } from "../log/test-log.ts"

// Rule C4: triggers and definer functions are guards. Some servers refuse them, and the log works without.

const log = testLog()

let url = ""
const query = (sql: string, params: Array<unknown> = []) =>
  connected(url, async (client) => (await client.query(sql, params)).rows)

const using = async (work: (engine: Engine) => Promise<void>) => {
  const engine = await open({ database: url, logger: false })
  try {
    await work(engine)
  } finally {
    await engine.close()
  }
}

beforeAll(async () => {
  url = await log.db.fresh()
  await query("select tidemark.declare_category('beat', true)")
  await query(`do $$ declare one record; begin
    for one in select tgname, tgrelid::regclass as on_table from pg_trigger t join pg_class c on c.oid = tgrelid
      where c.relnamespace = 'tidemark'::regnamespace and not tgisinternal and tgparentid = 0
    loop execute format('drop trigger %I on %s', one.tgname, one.on_table); end loop;
    for one in select p.oid::regprocedure as name from pg_proc p
      where p.pronamespace = 'tidemark'::regnamespace and prosecdef
    loop execute format('alter function %s security invoker', one.name); end loop;
  end $$`)
})

describe("a log without triggers and definer functions", () => {
  test("has none of them left", async () => {
    const left = await query(`select tgname from pg_trigger t join pg_class c on c.oid = tgrelid
      where c.relnamespace = 'tidemark'::regnamespace
      union all select proname from pg_proc where pronamespace = 'tidemark'::regnamespace and prosecdef`)
    expect(left).toEqual([])
  })

  test.each(["order", "beat"])("appends by every way, reads and delivers events of category %s", (category) =>
    using(async (engine) => {
      const stream = `${category}-1`
      const heard = collector<number>()
      const subscription = await engine.subscribe({ streams: [stream] }, ({ version }) => heard.push(version))
      await engine.emit(stream, { type: "A" })
      await engine.emit(stream, { type: "B" })
      await engine.emitAll([
        { stream, events: { type: "C" } },
        { stream: `${category}-2`, events: { type: "C" } }
      ])
      await engine.transaction(async (tx) => tx.emit(stream, { type: "D" }))
      await query("select tidemark.append_events($1, '[{\"type\": \"E\"}]', '4')", [stream])
      await query("select tidemark.wake()")
      await expect(engine.emit(stream, { type: "F" }, { expected: 2 })).rejects.toMatchObject({
        _tag: "VersionConflict",
        actual: 5
      })
      expect(await heard.reaches(5)).toEqual(upTo(5))
      expect((await eventsOf(engine, stream)).map(({ type }) => type)).toEqual(["A", "B", "C", "D", "E"])
      await subscription.stop()
    })
  )

  test("settles, and waits for the appends under way: the append itself takes the lock", async () => {
    await connected(url, async (client) => {
      await client.query("set search_path = tidemark; begin")
      const { rows } = await client.query(
        "select position from append_events('order-3', '[{\"type\": \"Slow\"}]')"
      )
      await query("select tidemark.append_events('order-4', '[{\"type\": \"Fast\"}]')")
      const [held] = await query("select tidemark.settle('20 ms') as position")
      expect(Number(held.position)).toBeLessThan(Number(rows[0].position))
      const reading = query("select type from tidemark.read_log($1, 10, '10 seconds')", [
        rows[0].position - 1
      ])
      await client.query("commit")
      expect(await inTime(reading)).toEqual([{ type: "Slow" }, { type: "Fast" }])
    })
    const [log] = await query("select max(position) as head from tidemark.log_events")
    expect(await query("select tidemark.settle() as head")).toEqual([log])
  })
})
