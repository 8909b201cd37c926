import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest"
import { migrate } from "../../../src/engine/migration.ts"
import { type Engine, open, type OpenOptions } from "../../../src/index.ts"
import { connected, quoted } from "../../support/admin.ts"
import { testDatabase } from "../../support/database.ts"
import { until } from "../../support/eventually.ts"
import { engines, logBook } from "../../faults/scene.ts"
import { upTo } from "../test-log.ts"

// Partitions are made before an append needs them: by engines, beside their appends. Here they are small.

const WIDTH = 2_000
const BATCH = 20

const db = testDatabase()
const opened = engines()
const writer = `tidemark_ahead_${process.pid}`
let url = ""

const query = (text: string, params: ReadonlyArray<unknown> = []) =>
  connected(url, async (client) => (await client.query(text, [...params])).rows)

const start = (options: OpenOptions = {}): Promise<Engine> => opened({ database: url, ...options })

const asRole = (role: string): string =>
  `${url}${url.includes("?") ? "&" : "?"}options=${encodeURIComponent(`-c role=${role}`)}`

/** A log with small partitions, that notes of each where positions were when it was made, and by which statement. */
const makeLog = async () => {
  url = await db.fresh()
  await query(`
    drop table tidemark.telemetry_0, tidemark.telemetry_1;
    delete from tidemark.telemetry_partitions;
    create or replace function tidemark.telemetry_width() returns bigint language sql immutable as 'select ${WIDTH}::bigint';
    select tidemark.declare_category('beat', true);
    select tidemark.extend_telemetry(0);
    create table made (name text primary key, drawn bigint, statement text);
    create function note_made() returns trigger language plpgsql as $$ begin
      insert into public.made select new.name, last_value, current_query() from tidemark.log_position;
      return new;
    end $$;
    create trigger note_made after insert on tidemark.telemetry_partitions for each row execute function note_made()`)
}

beforeAll(() => db.query(`create role ${quoted(writer)}`))
afterAll(() => db.query(`drop role ${quoted(writer)}`))
beforeEach(makeLog)

const made = async () =>
  (await query("select name, drawn, statement from made order by drawn, name")).map(
    ({ name, drawn, statement }: { name: string; drawn: string; statement: string }) => ({
      index: Number(name.replace("telemetry_", "")),
      drawn: Number(drawn),
      ahead: statement.includes("extend_telemetry_ahead")
    })
  )

let beats = 0
/** Appends so many telemetry events in batches, by all engines at once; returns the last position. */
const beat = async (count: number, ...by: ReadonlyArray<Engine>): Promise<number> => {
  const events = upTo(BATCH).map(() => ({ type: "Beat" }))
  const emits = upTo(count / BATCH).map((n) => by[n % by.length]!.emit(`beat-${(beats += 1) % 7}`, events))
  return Math.max(...(await Promise.all(emits)).map(({ position }) => position))
}

/** Waits until no append needs a further partition before it is half a width further. */
const enoughAfter = (position: number) =>
  until(
    async () => {
      const [row] = await query("select max(up_to)::float8 as up_to from tidemark.telemetry_partitions")
      return row.up_to > position + 1.5 * WIDTH
    },
    { what: `partitions ahead of ${position}` }
  )

describe("telemetry partitions", () => {
  test("are made beside the appends, by one of many engines, before an append comes near them", async () => {
    const all = await Promise.all([start(), start(), start()])
    for (let step = 0; step < 24; step += 1) await enoughAfter(await beat(WIDTH / 4, ...all))
    const found = await made()
    expect(found.length).toBeGreaterThanOrEqual(6)
    expect(found.map(({ index }) => index)).toEqual(upTo(found.length).map((n) => n + 1))
    expect(found.filter(({ ahead }) => !ahead)).toEqual([])
    expect(found.filter(({ index, drawn }) => drawn >= index * WIDTH)).toEqual([])
    const { telemetry, head } = await all[0]!.status()
    expect(telemetry.partitions.map(({ from, upTo: end }) => [from, end])).toEqual(
      [0, ...upTo(found.length + 1)].map((n) => [n * WIDTH, (n + 1) * WIDTH])
    )
    expect(telemetry.ahead).toBe(telemetry.partitions.filter(({ from }) => from > head).length)
    expect(telemetry.partitions[0]!.bytes).toBeGreaterThan(0)
    expect(telemetry.warning).toBeUndefined()
  })

  test("hold everything, each of them its own stretch, however much faster the appends come", async () => {
    const all = await Promise.all([start(), start(), start()])
    await beat(12 * WIDTH, ...all)
    const found = await made()
    expect(new Set(found.map(({ index }) => index)).size).toBe(found.length)
    expect(found.length).toBeGreaterThanOrEqual(12)
    const [{ count }] = await query("select count(*)::integer as count from tidemark.telemetry")
    expect(count).toBe(12 * WIDTH)
  })

  test("are made ahead after a leap, too, and none of what was leapt over", async () => {
    const engine = await start()
    await enoughAfter(await beat(BATCH, engine))
    const before = (await engine.status()).telemetry.partitions.length
    await query("select setval('tidemark.log_position', $1)", [2 ** 48])
    const stranded = await engine.status()
    expect(stranded.telemetry.ahead).toBe(0)
    expect(stranded.telemetry.warning).toContain("the append that needs one makes it")
    const position = await beat(BATCH, engine)
    await enoughAfter(position)
    const { partitions, ahead, warning } = (await engine.status()).telemetry
    expect(partitions.length - before).toBeLessThanOrEqual(4)
    expect(partitions.filter(({ from, upTo: end }) => from <= position && position < end)).toHaveLength(1)
    expect(partitions.every(({ from, upTo: end }) => end - from === WIDTH)).toBe(true)
    expect({ isAhead: ahead > 0, warning }).toEqual({ isAhead: true, warning: undefined })
  })

  test("are made for durable events that use positions up, too", async () => {
    const engine = await start()
    const events = upTo(WIDTH / 2).map(() => ({ type: "Made" }))
    for (let step = 0; step < 6; step += 1) await enoughAfter((await engine.emit("order-1", events)).position)
    expect((await made()).filter(({ ahead }) => !ahead)).toEqual([])
  })

  test("are not waited for while somebody works on the table of all", async () => {
    const engine = await start()
    await enoughAfter(await beat(BATCH, engine))
    await connected(url, async (vacuuming) => {
      await vacuuming.query("begin; lock table tidemark.telemetry in share update exclusive mode")
      const position = await beat(WIDTH, engine)
      expect(position).toBeGreaterThan(WIDTH / 2)
      expect(await made()).toEqual([])
      await vacuuming.query("rollback")
    })
  })
})

describe("a writer that owns nothing", () => {
  beforeEach(async () => {
    // Its read models' tables are the owner's to make.
    await (await open({ database: url, logger: false })).close()
    await migrate({ database: url, writers: [writer] })
  })
  afterEach(() => query(`drop owned by ${quoted(writer)}`))

  test("has partitions made ahead by the rights of the owner", async () => {
    const engine = await open({ database: asRole(writer), logger: false })
    for (let step = 0; step < 6; step += 1) await enoughAfter(await beat(WIDTH / 2, engine))
    const found = await made()
    expect(found.length).toBeGreaterThanOrEqual(2)
    expect(found.filter(({ ahead }) => !ahead)).toEqual([])
    await engine.close()
  })

  test("goes on where it was not granted that, quietly, and its appends make what they need", async () => {
    await query(`revoke execute on function tidemark.extend_telemetry_ahead() from ${quoted(writer)}`)
    const book = logBook()
    const engine = await open({ database: asRole(writer), logger: book.logger })
    await beat(3 * WIDTH, engine)
    const found = await made()
    expect(found.length).toBeGreaterThanOrEqual(3)
    expect(found.filter(({ ahead }) => ahead)).toEqual([])
    expect(book.warnings(/telemetry|partition|permission/)).toEqual([])
    await engine.close()
  })
})
