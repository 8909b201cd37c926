import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { eventType } from "../../../src/log/event-type.ts"
import { RANGE_EVENTS } from "../../../src/projection/rebuild/rows-filler.ts"
import { Schema } from "effect"
import { Counted, counters, entries, type Process, Removed, scene } from "../scene.ts"
import { generationsOf, rowsOf } from "./looks.ts"

const { db, start } = scene()

const writeSome = async (one: Process, streams: number, rounds: number): Promise<number> => {
  let last = 0
  for (let round = 0; round < rounds; round++)
    last = await one.emit(
      `some-${round % streams}`,
      ...Array.from({ length: 40 }, (_unused, at) => Counted.make({ by: at }))
    )
  return last
}

describe("a rebuild", () => {
  it.each([
    ["entities", counters],
    ["rows", entries]
  ])("of %s fills the next generation with what the live one has, and takes its place", async (_, make) => {
    const one = await start()
    const definition = make({ name: "plain" })
    await one.project(definition)
    await writeSome(one, 3, 5)
    await one.reaches("plain", await one.emit("some-1", Removed.make({})))
    const before = await rowsOf(db, "plain")
    const report = await one.rebuild(definition, { verify: true })
    expect(report).toMatchObject({
      projection: "plain",
      from: { generation: 1, version: 1 },
      to: { generation: 2, version: 1 },
      verified: { sameDefinition: true, tables: [{ relation: "plain", different: 0, rows: before.length }] },
      dropped: []
    })
    expect(await rowsOf(db, "plain")).toEqual(before)
    expect(await rowsOf(db, "plain__2")).toEqual(before)
    expect(await generationsOf(db, "plain")).toEqual([
      { generation: 1, state: "kept" },
      { generation: 2, state: "live" }
    ])
    await one.reaches("plain", await one.emit("plain-9", Counted.make({ by: 7 })))
    expect(await rowsOf(db, "plain__2")).toHaveLength(before.length + 1)
    expect(await rowsOf(db, "plain__1")).toHaveLength(before.length)
  })

  it("needs nobody who folds it, nor a projection that is there already", async () => {
    const one = await start()
    const last = await writeSome(one, 4, 6)
    const definition = counters({ name: "fresh" })
    const report = await one.rebuild(definition)
    expect(report).toMatchObject({ from: undefined, to: { generation: 1 }, events: 240 })
    expect(report.position).toBeGreaterThanOrEqual(last)
    expect(await db.query("select sum(events)::integer as events from tidemark.fresh")).toEqual([
      { events: 240 }
    ])
    await one.project(definition)
    await one.reaches("fresh", await one.emit("some-1", Counted.make({ by: 1 })))
    expect(await db.query("select sum(events)::integer as events from tidemark.fresh")).toEqual([
      { events: 241 }
    ])
  })

  it("keeps as many earlier generations as it is told, and drops the others with their tables", async () => {
    const one = await start()
    const definition = entries({ name: "several" })
    await one.project(definition)
    await writeSome(one, 1, 1)
    await one.rebuild(definition)
    expect(await one.rebuild(definition)).toMatchObject({ dropped: [1] })
    expect(await one.rebuild(definition, { keep: 2 })).toMatchObject({ dropped: [] })
    expect(await one.rebuild(definition, { keep: 0 })).toMatchObject({ dropped: [4, 3, 2] })
    expect(await generationsOf(db, "several")).toEqual([{ generation: 5, state: "live" }])
    const tables = await db.query("select relname from pg_class where relname ~ '^several__\\d+$'")
    expect(tables).toEqual([{ relname: "several__5" }])
  })

  it("makes the indexes that its tables have, under the names that they have", async () => {
    const one = await start()
    const name = "indexed"
    const text = `create table :"${name}" (position bigint primary key, stream text not null, by integer not null);
      create unique index on :"${name}" (stream, position); create index on :"${name}" (stream); create index on :"${name}" (by desc, stream) where by > 0`
    const definition = { ...entries({ name }), tables: { text } }
    await one.project(definition)
    await writeSome(one, 2, 2)
    await one.rebuild(definition)
    const indexesOf = async (generation: number) =>
      (
        await db.query<{ definition: string }>(
          "select indexdef as definition from pg_indexes where tablename = $1 order by indexname",
          [`${name}__${generation}`]
        )
      ).map((row) => row.definition.replaceAll(`__${generation}`, "__n"))
    expect(await indexesOf(2)).toEqual(await indexesOf(1))
    expect(await indexesOf(2)).toHaveLength(4)
    const constraintsOf = async (generation: number) =>
      (
        await db.query<{ name: string; definition: string }>(
          "select conname as name, pg_get_constraintdef(oid) as definition from pg_constraint where conrelid = $1::regclass order by conname",
          [`tidemark.${name}__${generation}`]
        )
      ).map((row) => `${row.name} ${row.definition}`.replaceAll(`__${generation}`, "__n"))
    expect(await constraintsOf(2)).toEqual(await constraintsOf(1))
  })

  it("tells how far it is while it goes on", async () => {
    const one = await start()
    const definition = counters({ name: "told" })
    await one.project(definition)
    const last = await writeSome(one, 4, 10)
    const told: Array<{ phase: string; events: number; target: number }> = []
    await one.rebuild(definition, { verify: true, onProgress: (progress) => told.push(progress) })
    expect([...new Set(told.map(({ phase }) => phase))]).toEqual([
      "fill",
      "index",
      "catch up",
      "verify",
      "swap"
    ])
    expect(told.at(-1)).toMatchObject({ phase: "swap", events: 400, etaMs: 0 })
    expect(told.at(-1)!.target).toBeGreaterThanOrEqual(last)
  })
})

const Measured2 = eventType("Counted", Schema.Struct({ amount: Schema.Finite }), {
  schemaVersion: 2,
  upcasts: { 1: (data) => ({ amount: Number((data as { by: unknown }).by) * 10 }) }
})

describe("events of an earlier version of their type", () => {
  it("are brought up to date, whether the server could fold the others by itself or not", async () => {
    const one = await start()
    const name = "upcast"
    const fold = `insert into :"${name}" (position, stream, by)
      select event.position, event.stream, (event.data ->> 'amount')::integer from :batch event`
    await writeSome(one, 2, 2)
    await db.query(
      `select tidemark.append_events('some-9', '[{"type": "Counted", "data": {"amount": 4}, "schemaVersion": 2}]')`
    )
    await one.rebuild({ ...entries({ name, fold }), events: [Measured2] })
    expect(await db.query("select sum(by)::integer as sum, count(*)::integer from tidemark.upcast")).toEqual([
      { sum: 40 * 39 * 10 + 4, count: 81 }
    ])
  })
})

describe("a rebuild at any moment while events are written", () => {
  it.each([
    ["entities", counters],
    ["rows", entries]
  ])("leaves %s as a fold of the whole log does, and as the live ones were", async (_, make) => {
    const one = await start()
    const definition = make({ name: "anytime" })
    await one.project(definition)
    const step = fc.record({
      stream: fc.integer({ min: 1, max: 5 }),
      events: fc.array(fc.option(fc.integer({ min: -9, max: 9 }), { freq: 5 }), {
        minLength: 1,
        maxLength: 30
      })
    })
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { minLength: 1, maxLength: 25 }),
        fc.nat(24),
        fc.boolean(),
        async (steps, at, verify) => {
          const done: Array<Promise<unknown>> = []
          let last = 0
          for (const [index, { stream, events }] of steps.entries()) {
            if (index === at % steps.length) done.push(one.rebuild(definition, { verify, keep: 1 }))
            last = await one.emit(
              `any-${stream}`,
              ...events.map((by) => (by === null ? Removed.make({}) : Counted.make({ by })))
            )
          }
          await Promise.all(done)
          await one.reaches("anytime", last)
          const rows = await rowsOf(db, "anytime")
          await db.query("create table if not exists expected (like tidemark.anytime)")
          await db.query("truncate expected")
          await db.query(
            make === counters
              ? `insert into expected
                 select stream, sum((data ->> 'by')::integer) filter (where position > gone), count(*) filter (where position > gone)
                 from (
                   select *, coalesce(max(position) filter (where type = 'Removed') over (partition by stream), 0) as gone
                   from tidemark.log_events where type in ('Counted', 'Removed')
                 ) all_events
                 where position > gone and type = 'Counted' group by stream`
              : `insert into expected select position, stream, (data ->> 'by')::integer from tidemark.log_events where type = 'Counted'`
          )
          expect(rows).toEqual(await db.query("select * from expected order by 1"))
        }
      ),
      { numRuns: 12 }
    )
  })
})

describe("batches of a rebuild", () => {
  it("may be cut anywhere: more events than one statement or one page takes give the same rows", async () => {
    const one = await start()
    const total = RANGE_EVENTS * 2 + 777
    await db.query('select tidemark.append_events(\'many-1\', \'[{"type": "Counted", "data": {"by": 1}}]\')')
    // Written as the engine's append would have: the settled tail sees no difference.
    await db.query(
      `with heads as (
         insert into tidemark.streams (stream, version, telemetry) select 'bulk-' || n, $1::integer / 50, false from generate_series(0, 49) n
       )
       insert into tidemark.events (id, stream, version, type, data)
       select gen_random_uuid(), 'bulk-' || n % 50, n / 50 + 1, case when n % 3 = 0 then 'Noise' else 'Counted' end, jsonb_build_object('by', n % 7)
       from generate_series(0, $1::integer - 1) n order by n`,
      [total - (total % 50)]
    )
    await one.project(counters({ name: "cut_things" }))
    for (const definition of [entries({ name: "cut_rows" }), counters({ name: "cut_things" })])
      await one.rebuild(definition, { verify: false })
    const [log] = await db.query(
      "select count(*)::integer as events, sum((data ->> 'by')::integer)::integer as sum from tidemark.log_events where type = 'Counted'"
    )
    expect(
      await db.query("select count(*)::integer as events, sum(by)::integer as sum from tidemark.cut_rows")
    ).toEqual([log])
    expect(
      await db.query(
        "select sum(events)::integer as events, sum(total)::integer as sum from tidemark.cut_things"
      )
    ).toEqual([log])
  })
})
