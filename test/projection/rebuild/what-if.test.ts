import { afterEach, beforeEach, describe, expect, it } from "vitest"
import { type Engine, open, type ProjectionDefinition } from "../../../src/index.ts"
import { InvalidDefinition, InvalidIdentifier, UnknownProjection } from "../../../src/errors.ts"
import { RebuildFailed, SchemaInUse } from "../../../src/projection/rebuild/error.ts"
import { Counted, counters, entries, scene } from "../scene.ts"
import { rowsOf } from "./looks.ts"

const { db, start } = scene()

let engine: Engine

beforeEach(async () => {
  engine = await open({ database: db.url, readModels: "follow", logger: false })
})
afterEach(() => engine.close())

const liveOf = async (definition: ProjectionDefinition) => {
  const one = await start()
  await one.project(definition)
  let last = 0
  for (const stream of ["a-1", "a-2", "b-1"])
    last = await one.emit(stream, Counted.make({ by: 1 }), Counted.make({ by: 2 }))
  await one.reaches(definition.name, last)
  return last
}

const schemas = async () =>
  (
    await db.query<{ name: string }>("select nspname as name from pg_namespace where nspname like 'scratch%'")
  ).map(({ name }) => name)

/** All that the log's own schema holds: a what-if leaves no trace in it. */
const contents = async () => {
  const [row] = await db.query(
    `select (select count(*) from tidemark.generations) as generations, (select count(*) from tidemark.projections) as projections,
       (select count(*) from pg_class where relnamespace = 'tidemark'::regnamespace) as relations,
       (select count(*) from pg_proc where pronamespace = 'tidemark'::regnamespace) as functions,
       (select count(*) from tidemark.categories) as categories, (select count(*) from tidemark.log_events) as events`
  )
  return row
}

describe("a what-if", () => {
  it("of the same definition finds no difference, and leaves nothing behind", async () => {
    const definition = counters({ name: "same" })
    await liveOf(definition)
    const before = await contents()
    const report = await engine.whatIf({ definitions: [definition], into: "scratch" })
    expect(report).toMatchObject({
      schema: "scratch",
      kept: false,
      projections: [
        {
          projection: "same",
          version: 1,
          events: 6,
          compared: { sameDefinition: true, tables: [{ rows: 3, different: 0, onlyLive: 0, onlyRebuilt: 0 }] }
        }
      ]
    })
    expect(await schemas()).toEqual([])
    expect(await contents()).toEqual(before)
  })

  it("of a changed definition tells which rows would differ, and which would only be there now or then", async () => {
    await liveOf(counters({ name: "changed" }))
    const changed = counters({ name: "changed", version: 2, count: (by) => (by === 2 ? 20 : 1) })
    const without = {
      ...changed,
      model: {
        ...changed.model,
        keyOf: ({ stream }: { readonly stream: string }) => (stream === "a-1" ? undefined : stream)
      }
    } as ProjectionDefinition
    const { projections } = await engine.whatIf({ definitions: [without], into: "scratch", keep: true })
    expect(projections[0]!.compared).toMatchObject({
      sameDefinition: false,
      tables: [{ different: 2, onlyLive: 1, onlyRebuilt: 0 }]
    })
    expect(projections[0]!.compared!.tables[0]!.examples).toContainEqual({ key: "(a-1)", how: "only live" })
    expect(await db.query("select id, total from scratch.changed order by id")).toEqual([
      { id: "a-2", total: 21 },
      { id: "b-1", total: 21 }
    ])
    expect(await rowsOf(db, "changed")).toHaveLength(3)
    // A schema that an earlier one left is replaced.
    await engine.whatIf({ definitions: [changed], into: "scratch" })
    expect(await schemas()).toEqual([])
  })

  it("folds rows up to a position or a token only, and of a filter only", async () => {
    const last = await liveOf(entries({ name: "part" }))
    const definitions = [entries({ name: "part" })]
    const upTo = await engine.whatIf({ definitions, into: "scratch", to: last - 2 })
    expect(upTo.projections[0]).toMatchObject({
      position: last - 2,
      events: 4,
      compared: { tables: [{ onlyLive: 2, onlyRebuilt: 0, different: 0 }] }
    })
    const some = await engine.whatIf({ definitions, into: "scratch", streams: ["b-1"], keep: true })
    expect(some.projections[0]).toMatchObject({ events: 2, compared: { tables: [{ onlyLive: 4 }] } })
    expect(await db.query("select distinct stream from scratch.part")).toEqual([{ stream: "b-1" }])
    const none = await engine.whatIf({ definitions, into: "scratch", types: ["Other"] })
    expect(none.projections[0]).toMatchObject({ events: 0, compared: { tables: [{ onlyLive: 6 }] } })
  })

  it("takes read models of every engine by name, and definitions that have nothing live", async () => {
    await liveOf(entries({ name: "whatever" }))
    const { projections } = await engine.whatIf({
      definitions: ["agents", "heartbeats", counters({ name: "unheard_of" })],
      into: "scratch"
    })
    expect(projections.map(({ projection, compared }) => [projection, compared?.tables.length])).toEqual([
      ["agents", 1],
      ["heartbeats", 1],
      ["unheard_of", undefined]
    ])
  })

  it("touches no schema that was not made for it", async () => {
    await db.query("create schema scratch_of_mine")
    await db.query("create table scratch_of_mine.precious as select 1 as one")
    const definitions = [counters({ name: "careful" })]
    await expect(engine.whatIf({ definitions, into: "scratch_of_mine" })).rejects.toBeInstanceOf(SchemaInUse)
    await expect(engine.whatIf({ definitions, into: "tidemark" })).rejects.toBeInstanceOf(SchemaInUse)
    expect(await db.query("select one from scratch_of_mine.precious")).toEqual([{ one: 1 }])
  })

  it("that fails leaves no schema behind, and says why", async () => {
    await liveOf(entries({ name: "fine" }))
    const failing = counters({
      name: "failing",
      count: () => {
        throw new Error("no more")
      }
    })
    await expect(
      engine.whatIf({ definitions: [failing], into: "scratch", keep: true })
    ).rejects.toBeInstanceOf(RebuildFailed)
    const impure = entries({
      name: "impure",
      fold: `insert into :"impure" select 1, now()::text, 1 from :batch event`
    })
    await expect(engine.whatIf({ definitions: [impure], into: "scratch" })).rejects.toBeInstanceOf(
      InvalidDefinition
    )
    await expect(engine.whatIf({ definitions: ["nobody"], into: "scratch" })).rejects.toBeInstanceOf(
      UnknownProjection
    )
    await expect(engine.whatIf({ definitions: [], into: "No Schema" })).rejects.toBeInstanceOf(
      InvalidIdentifier
    )
    expect(await schemas()).toEqual([])
  })
})
