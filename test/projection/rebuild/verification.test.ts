import { describe, expect, it } from "vitest"
import { InvalidDefinition } from "../../../src/projection/error.ts"
import { OlderDefinition, RebuildDiffers } from "../../../src/projection/rebuild/error.ts"
import { Counted, counters, reasonOf, scene, stops } from "../scene.ts"
import { rowsOf, tablesOf, untouched } from "./looks.ts"

const { db, start } = scene()

const counts = (total: number) => Array.from({ length: total }, () => Counted.make({ by: 1 }))

describe("verification", () => {
  it("finds what the live tables hold and the log does not say, with examples, and drops what it built", async () => {
    const definition = counters({ name: "tampered" })
    const one = await start()
    await one.project(definition)
    let last = 0
    for (const stream of ["a-1", "a-2", "a-3", "a-4"]) last = await one.emit(stream, ...counts(5))
    await one.reaches("tampered", last)
    await db.query("update tidemark.tampered__1 set total = 99 where id = 'a-1'")
    await db.query("delete from tidemark.tampered__1 where id = 'a-2'")
    await db.query("insert into tidemark.tampered__1 values ('b-1', 1, 1), ('b-2', 1, 1)")
    const reason = await reasonOf(one.rebuild(definition, { verify: true }))
    expect(reason).toBeInstanceOf(RebuildDiffers)
    expect(reason).toMatchObject({ different: 1, onlyLive: 2, onlyRebuilt: 1, kept: [] })
    expect((reason as RebuildDiffers).examples.toSorted()).toEqual([
      "tampered (a-1) (different)",
      "tampered (a-2) (only rebuilt)",
      "tampered (b-1) (only live)",
      "tampered (b-2) (only live)"
    ])
    await untouched(db, "tampered")
    const kept = await reasonOf(one.rebuild(definition, { verify: true, keepDifferent: true }))
    expect(kept.message).toContain('"tidemark"."tampered__2"')
    expect(await tablesOf(db, "tampered")).toEqual(["tampered__1", "tampered__2"])
    await one.rebuild(definition)
    expect(await rowsOf(db, "tampered")).toEqual(
      ["a-1", "a-2", "a-3", "a-4"].map((id) => ({ id, total: 5, events: 5 }))
    )
  })

  it("of another definition only tells what differs, by the columns that both have", async () => {
    const one = await start()
    await one.project(counters({ name: "revised" }))
    await one.reaches("revised", await one.emit("a-1", ...counts(5)))
    const revised = counters({ name: "revised", version: 2, count: () => 10 })
    const report = await one.rebuild(revised, { verify: true })
    expect(report.verified).toMatchObject({
      sameDefinition: false,
      tables: [{ relation: "revised", rows: 1, different: 1, examples: [{ key: "(a-1)", how: "different" }] }]
    })
    expect(await db.query("select total from tidemark.revised")).toEqual([{ total: 50 }])
  })
})

describe("a definition", () => {
  it("older than the one that filled the tables is not rebuilt, unless that is meant", async () => {
    const one = await start()
    await one.project(counters({ name: "aged", version: 3 }))
    const reason = await reasonOf(one.rebuild(counters({ name: "aged", version: 2 })))
    expect(reason).toBeInstanceOf(OlderDefinition)
    expect(reason).toMatchObject({ found: 3, given: 2 })
    await untouched(db, "aged")
    await one.rebuild(counters({ name: "aged", version: 2 }), { force: true })
    expect(await db.query("select version from tidemark.projections")).toEqual([{ version: 2 }])
  })

  it("that has changed is taken on where it was rebuilt, by the processes that have it", async () => {
    const [old, one] = await Promise.all([start(), start()])
    await old.project(counters({ name: "moved_on" }))
    await old.reaches("moved_on", await old.emit("a-1", ...counts(5)))
    const next = counters({ name: "moved_on", version: 2, count: () => 10 })
    const refused = await reasonOf(one.project(next))
    expect(refused.message).toContain("tidemark rebuild moved_on")
    await one.rebuild(next)
    await one.project(next)
    const last = await one.emit("a-1", ...counts(5))
    await one.reaches("moved_on", last)
    expect(await db.query("select total, events from tidemark.moved_on")).toEqual([
      { total: 100, events: 10 }
    ])
    await stops(old, "moved_on")
    expect(old.status("moved_on").error!.message).toContain(
      "another definition now (version 2, this is version 1)"
    )
  })

  it("whose table has a name that is taken makes nothing", async () => {
    const one = await start()
    await db.query("create table tidemark.taken (id integer)")
    const reason = await reasonOf(one.rebuild(counters({ name: "taken" })))
    expect(reason).toBeInstanceOf(InvalidDefinition)
    expect(reason.message).toContain("taken is there already")
    expect(await tablesOf(db, "taken")).toEqual([])
  })
})
