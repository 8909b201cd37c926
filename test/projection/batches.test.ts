import { Effect } from "effect"
import { describe, expect, it } from "vitest"
import { batches, type ProjectionDefinition } from "../../src/projection/definition.ts"
import { Counted, reasonOf, scene, stops } from "./scene.ts"

// The shape for what neither rows nor entities can say: here each count moves the place of its stream in a ranking, for which other
// rows, and the log, have to be looked at.

const { db, start } = scene()

interface Place {
  readonly stream: string
  readonly total: number
}

const ranking = (name: string, { version = 1, factor = 1 } = {}): ProjectionDefinition => ({
  name,
  version,
  events: [Counted],
  tables: {
    text: `create table :"${name}" (stream text primary key, total integer not null);
           create table :"${name}_leads" (position bigint primary key, leader text not null, first_of_leader bigint not null)`
  },
  relations: [name, `${name}_leads`],
  views: {
    text: `create or replace view :"home".${name}_now as select leader from :"home".${name}_leads order by position desc limit 1`
  },
  model: batches((events, { query, attempt }) =>
    Effect.gen(function* () {
      for (const event of events) {
        const by = yield* attempt(() => {
          const { by: given } = event.data as { readonly by: unknown }
          if (typeof given !== "number") throw new Error(`no number: ${String(given)}`)
          return given * factor
        })
        yield* query(
          {
            text: `insert into :"${name}" as place values ($1, $2) on conflict (stream) do update set total = place.total + excluded.total`
          },
          [event.stream, by]
        )
        const [leader] = yield* query<Place>(
          { text: `select stream, total from :"${name}" order by total desc, stream limit 1` },
          []
        )
        yield* query(
          {
            text: `insert into :"${name}_leads" select $1, $2, min(position) from :"schema".events where stream = $2 and position <= $1`
          },
          [event.position, leader!.stream]
        )
      }
    })
  ),
  operations: {}
})

const count = (by: unknown) => Counted.make({ by })

describe("a projection that folds batches by itself", () => {
  it("changes several tables by what is in them and in the log, and has views on them", async () => {
    const one = await start()
    await one.project(ranking("race"))
    const first = await one.emit("a-1", count(1))
    const second = await one.emit("a-2", count(5))
    await one.reaches("race", await one.emit("a-1", count(7)))
    expect(
      await db.query(
        "select leader, first_of_leader::int as first from tidemark.race_leads order by position"
      )
    ).toEqual([
      { leader: "a-1", first },
      { leader: "a-2", first: second },
      { leader: "a-1", first }
    ])
    expect(await db.query("select * from tidemark.race_now")).toEqual([{ leader: "a-1" }])
  })

  it("is rebuilt like any other: alike where verified, and its views go on", async () => {
    const one = await start()
    await one.project(ranking("rerun"))
    let last = 0
    for (const n of [3, 1, 4, 1, 5, 9, 2, 6]) last = await one.emit(`a-${n % 3}`, count(n))
    await one.reaches("rerun", last)
    const report = await one.rebuild(ranking("rerun"), { verify: true })
    expect(report).toMatchObject({
      events: 8,
      verified: {
        tables: [
          { rows: 3, different: 0 },
          { rows: 8, different: 0 }
        ]
      }
    })
    expect(await db.query("select * from tidemark.rerun_now")).toEqual([{ leader: "a-0" }])
    const revised = ranking("rerun", { version: 2, factor: 10 })
    await one.rebuild(revised)
    await one.project(revised)
    expect(await db.query("select total from tidemark.rerun order by stream")).toEqual([
      { total: 180 },
      { total: 60 },
      { total: 70 }
    ])
    await one.reaches("rerun", await one.emit("a-9", count(99)))
    expect(await db.query("select * from tidemark.rerun_now")).toEqual([{ leader: "a-9" }])
  })

  it("stops before the very event that it cannot fold, with all before it kept; and so does its rebuild", async () => {
    const one = await start()
    await one.project(ranking("halted"))
    await one.emit("a-1", count(1), count(2), count("x"), count(4))
    await stops(one, "halted")
    expect(one.status("halted").error).toMatchObject({
      message: expect.stringContaining("no number: x") as unknown
    })
    expect(await db.query("select total from tidemark.halted")).toEqual([{ total: 3 }])
    const reason = await reasonOf(one.rebuild(ranking("halted")))
    expect(reason._tag).toBe("RebuildFailed")
  })

  it("has plans made once and of indexes alone, where it says that it looks rows up by them; and nobody else has", async () => {
    const one = await start()
    const settings = {
      text: "select current_setting('plan_cache_mode') || current_setting('enable_seqscan') as found"
    }
    const found = new Map<string, unknown>()
    const planned = (name: string, options?: { readonly byIndex: boolean }): ProjectionDefinition => ({
      ...ranking(name),
      model: batches(
        (_, { query }) => Effect.map(query(settings, []), ([row]) => void found.set(name, row!["found"])),
        options
      )
    })
    await one.project(planned("by_index", { byIndex: true }))
    await one.project(planned("by_chance"))
    for (let n = 0; n < 20; n++) await one.emit("a-1", count(n))
    const last = await one.emit("a-1", count(1))
    await one.reaches("by_index", last)
    await one.reaches("by_chance", last)
    expect(Object.fromEntries(found)).toEqual({ by_index: "force_generic_planoff", by_chance: "autoon" })
  })

  it("may not look at clocks or chance", async () => {
    const one = await start()
    const impure = {
      ...ranking("impure"),
      model: batches((_, { attempt }) => Effect.asVoid(attempt(() => Math.random())))
    }
    await one.project(impure)
    await one.emit("a-1", count(1))
    await stops(one, "impure")
    expect(one.status("impure").error!.message).toContain("Math.random()")
  })
})
