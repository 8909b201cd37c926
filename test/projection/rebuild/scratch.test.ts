import { afterEach, beforeEach, describe, expect, it } from "vitest"
import { type Engine, open } from "../../../src/index.ts"
import { SchemaInUse, WhatIfUnderWay } from "../../../src/errors.ts"
import { until } from "../../support/eventually.ts"
import { startWorker } from "../../support/process.ts"
import { Counted, counters, entries, scene } from "../scene.ts"

// Of whom a throw-away schema is, and what becomes of one that is left behind.

const { db, start } = scene()

let engine: Engine

beforeEach(async () => {
  const database = new URL(db.url)
  database.searchParams.set("application_name", "first")
  engine = await open({ database: database.href, readModels: "follow", logger: false })
})
afterEach(() => engine.close())

const definition = counters({ name: "looked_into" })

const written = async () => {
  const one = await start()
  await one.project(definition)
  await one.reaches("looked_into", await one.emit("a-1", Counted.make({ by: 1 }), Counted.make({ by: 2 })))
}

interface Said {
  readonly stands?: boolean
  readonly done?: boolean
  readonly failed?: string
}

const standing = async (standMs: number) => {
  const worker = startWorker<Said>("trial", { input: { database: db.url, into: "scratch", standMs } })
  await worker.saysThat((said) => said.stands === true, { within: 20_000 })
  return worker
}

const relations = async () =>
  (
    await db.query<{ name: string }>(
      "select oid::regclass::text as name from pg_class where relnamespace = to_regnamespace('scratch') and relkind in ('r', 'v') order by 1"
    )
  ).map(({ name }) => name)

const isThere = async () => (await db.query("select where to_regnamespace('scratch') is not null")).length > 0

const whatIf = (keep = false) => engine.whatIf({ definitions: [definition], into: "scratch", keep })

describe("a what-if", () => {
  it("into a schema that another works in is refused, in the same process or another, and says who is at it", async () => {
    await written()
    const session = await db.session()
    await session.query("begin")
    await session.query("lock table tidemark.looked_into__1 in access exclusive mode")
    const first = whatIf()
    const isComparing =
      "select from pg_locks where relation = 'tidemark.looked_into__1'::regclass and not granted"
    await until(async () => (await db.query(isComparing)).length > 0)
    const other = await open({ database: db.url, readModels: "follow", logger: false })
    try {
      for (const who of [engine, other]) {
        const failure: unknown = await who
          .whatIf({ definitions: [definition], into: "scratch" })
          .catch((thrown: unknown) => thrown)
        expect(failure).toBeInstanceOf(WhatIfUnderWay)
        expect(failure).toMatchObject({ application: "first", pid: process.pid })
        expect((failure as Error).message).toContain('schema "scratch"')
      }
      await session.query("commit")
      expect(await first).toMatchObject({
        projections: [{ compared: { tables: [{ rows: 1, different: 0 }] } }]
      })
      expect(await isThere()).toBe(false)
    } finally {
      await other.close()
    }
  })

  it("that is killed leaves a schema that the next one replaces", async () => {
    await written()
    const worker = await standing(60_000)
    expect(await relations()).toEqual(["scratch.tried", "scratch.tried__1"])
    await expect(whatIf()).rejects.toMatchObject({ _tag: "WhatIfUnderWay", pid: worker.pid })
    expect(await relations()).toEqual(["scratch.tried", "scratch.tried__1"])
    await worker.kill("SIGKILL")
    expect(await isThere()).toBe(true)
    await whatIf(true)
    expect(await relations()).toEqual(["scratch.looked_into", "scratch.looked_into__1"])
    await whatIf()
    expect(await isThere()).toBe(false)
  })

  it("that stands still for longer than its lease loses its schema, writes nothing more and drops nothing", async () => {
    await written()
    const worker = await standing(6_000)
    const report = await until(() => whatIf(true).catch(() => undefined), { within: 20_000 })
    expect(report).toMatchObject({ kept: true })
    const left = await relations()
    expect(await worker.saysThat((said) => said.failed !== undefined, { within: 20_000 })).toEqual({
      failed: "RebuildLost"
    })
    expect((await worker.exited).code).toBe(0)
    expect(await relations()).toEqual(left)
    expect(await db.query("select id, events from scratch.looked_into")).toEqual([{ id: "a-1", events: 2 }])
  })

  it("that is given up in a long statement drops its schema, which the server does not go on with for nobody", async () => {
    await db.query(
      `create function public.slow(by integer) returns integer immutable language plpgsql as
       'begin perform pg_sleep(120); return by; end'`
    )
    const fold = `insert into :"sleepy" (position, stream, by)
      select event.position, event.stream, public.slow((event.data ->> 'by')::integer) from :batch event`
    await engine.emit("sleepy-1", Counted.make({ by: 1 }))
    const giving = new AbortController()
    const definitions = [entries({ name: "sleepy", fold })]
    const folding = engine
      .whatIf({ definitions, into: "scratch", signal: giving.signal })
      .catch((thrown: Error) => thrown)
    await until(
      async () => (await db.query("select from pg_stat_activity where wait_event = 'PgSleep'")).length > 0
    )
    giving.abort(new Error("enough"))
    expect(await folding).toMatchObject({ message: "enough" })
    expect(await isThere()).toBe(false)
  })
})

describe("a schema that a what-if left", () => {
  it("is not touched where somebody put something of their own into it, which is named", async () => {
    await written()
    const worker = await standing(60_000)
    await db.query("create table scratch.precious as select 1 as one")
    await worker.kill("SIGKILL")
    const failure: unknown = await whatIf().catch((thrown: unknown) => thrown)
    expect(failure).toBeInstanceOf(SchemaInUse)
    expect((failure as SchemaInUse).holds).toEqual(["table scratch.precious"])
    expect(await relations()).toEqual(["scratch.precious", "scratch.tried", "scratch.tried__1"])
    await db.query("drop table scratch.precious")
    await whatIf()
    expect(await isThere()).toBe(false)
  })

  it("is not touched where something elsewhere was made of it, which is named", async () => {
    await written()
    await whatIf(true)
    await db.query("create view above as select id from scratch.looked_into")
    const failure: unknown = await whatIf().catch((thrown: unknown) => thrown)
    expect(failure).toBeInstanceOf(SchemaInUse)
    expect((failure as Error).message).toContain("view above")
    expect(await db.query("select id from above")).toEqual([{ id: "a-1" }])
    await db.query("drop view above")
    await whatIf()
    expect(await isThere()).toBe(false)
  })

  it("is not touched where somebody changed what it says of itself, nor where another log's what-if made it", async () => {
    await written()
    await whatIf(true)
    const [row] = await db.query<{ mark: string }>(
      "select obj_description('scratch'::regnamespace, 'pg_namespace') as mark"
    )
    const changes = [
      "mine now",
      row!.mark.slice(0, -3),
      row!.mark.replace('"log":"tidemark"', '"log":"other"')
    ]
    for (const mark of changes) {
      await db.query(`comment on schema scratch is '${mark}'`)
      await expect(whatIf()).rejects.toBeInstanceOf(SchemaInUse)
      expect(await relations()).toEqual(["scratch.looked_into", "scratch.looked_into__1"])
    }
    await db.query(`comment on schema scratch is '${row!.mark}'`)
    await whatIf()
    expect(await isThere()).toBe(false)
  })

  it("is cleaned with all that a definition's own SQL makes", async () => {
    await written()
    const name = "many_things"
    const text = `create table :"${name}" (position bigint primary key, stream text not null,
        by integer not null, at serial, code integer generated always as identity);
      create index on :"${name}" (by)`
    const many = { ...entries({ name }), tables: { text } }
    await engine.whatIf({ definitions: [many], into: "scratch", keep: true })
    expect(await db.query("select at, code from scratch.many_things")).toHaveLength(2)
    await whatIf()
    expect(await isThere()).toBe(false)
  })
})
