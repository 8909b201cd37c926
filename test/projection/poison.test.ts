import { Schema } from "effect"
import { describe, expect, it } from "vitest"
import { eventType } from "../../src/log/event-type.ts"
import { entities } from "../../src/projection/definition.ts"
import { until } from "../support/eventually.ts"
import { Counted, counters, entries, reasonOf, scene, stops } from "./scene.ts"

const { db, start } = scene()

const POISON = "poison"

const refuse = (by: unknown): number => {
  if (by === POISON) throw new Error("cannot count poison")
  return Number(by)
}

const registered = async (name: string) => {
  const [row] = await db.query<{ state: string; position: number; error: Record<string, unknown> | null }>(
    "select state, position::integer, error from tidemark.projections where name = $1",
    [name]
  )
  return row!
}

const counts = (stream: string, poisonAt: number, total: number) =>
  Array.from({ length: total }, (_, at) => Counted.make({ by: at === poisonAt ? POISON : 1 })).map(
    (event) => ({ ...event, stream })
  )

describe("a fold that throws", () => {
  it("stops before the very event, with everything ahead of it folded, and says which it was", async () => {
    const one = await start()
    const first = await one.emit("exact-1", ...counts("exact-1", 613, 1_000))
    await one.project(counters({ name: "exact", count: refuse }))
    await stops(one, "exact")
    const [poison] = await db.query<{ position: number }>(
      "select position::integer from tidemark.events where stream = 'exact-1' and version = 614"
    )
    expect(first).toBeGreaterThan(poison!.position)
    expect(one.status("exact")).toMatchObject({
      state: "stopped",
      error: { position: poison!.position, type: "Counted", message: "cannot count poison" }
    })
    expect(await registered("exact")).toEqual({
      state: "stopped",
      position: poison!.position - 1,
      error: { position: poison!.position, type: "Counted", message: "cannot count poison" }
    })
    expect(await db.query("select total, events from tidemark.exact where id = 'exact-1'")).toEqual([
      { total: 613, events: 613 }
    ])
  })

  it("stops the same way where the fold is SQL and the server refuses the data", async () => {
    const one = await start()
    await one.emit("sql-1", ...counts("sql-1", 37, 50))
    await one.project(entries({ name: "sql_poison" }))
    await stops(one, "sql_poison")
    const { error } = one.status("sql_poison")
    expect(
      await db.query("select version::integer from tidemark.events where position = $1", [error!.position])
    ).toEqual([{ version: 38 }])
    expect(error!.message).toContain("integer")
    expect(
      await db.query("select count(*)::integer from tidemark.sql_poison where stream = 'sql-1'")
    ).toEqual([{ count: 37 }])
  })

  it("stops where the fold changes a row in place: what is not returned anew would be lost without a word", async () => {
    const one = await start()
    const model = entities<{ id: string; total: number; events: number }>({
      table: "in_place",
      key: "id",
      keyOf: (event) => event.stream,
      fold: (row, event) =>
        row === undefined ? { id: event.stream, total: 1, events: 1 } : Object.assign(row, { total: 9 })
    })
    await one.project({ ...counters({ name: "in_place", count: () => 1 }), model })
    await one.reaches("in_place", await one.emit("place-1", Counted.make({ by: 1 })))
    await one.emit("place-1", Counted.make({ by: 1 }))
    await stops(one, "in_place")
    expect(one.status("in_place").error!.message).toContain("read only")
  })

  it("stops its own projection only", async () => {
    const one = await start()
    await one.project(counters({ name: "sick", count: refuse }))
    await one.project(counters({ name: "sound", count: () => 1 }))
    await one.emit("sick-1", Counted.make({ by: POISON }))
    await stops(one, "sick")
    const position = await one.emit("sick-2", Counted.make({ by: 1 }))
    await one.reaches("sound", position)
    expect(one.status("sound").state).toBe("running")
    expect(await reasonOf(one.reaches("sick", position))).toMatchObject({
      _tag: "ProjectionStopped",
      projection: "sick",
      type: "Counted"
    })
  })

  it("stops where an old event cannot be brought up to date, and names it", async () => {
    const one = await start()
    const Old = eventType("Old", Schema.Struct({ by: Schema.Finite }), { schemaVersion: 2 })
    const position = await one.emit("old-1", { type: "Old", schemaVersion: 1, data: {} } as never)
    await one.project(counters({ name: "outdated", events: [Old] }))
    await stops(one, "outdated")
    expect(one.status("outdated").error).toMatchObject({ position, type: "Old" })
    expect(one.status("outdated").error!.message).toContain("no upcast from version 1")
  })
})

describe("a fold that returns what no JSON can hold", () => {
  it("stops its projection as any other", async () => {
    const one = await start()
    await one.project({
      ...counters({ name: "unsayable" }),
      model: entities({
        table: "unsayable",
        key: "id",
        keyOf: (event) => event.stream,
        fold: (_, event) => ({ id: event.stream, total: 1n, events: 1 })
      })
    })
    const position = await one.emit("unsayable-1", Counted.make({ by: 1 }))
    await stops(one, "unsayable")
    expect(one.status("unsayable").error).toMatchObject({ position, type: "Counted" })
  })
})

describe("a stopped projection", () => {
  it("is tried again when the engine is opened again, and goes on where its fold was mended", async () => {
    const first = await start()
    await first.project(counters({ name: "mended", count: refuse }))
    await first.emit(
      "mended-1",
      Counted.make({ by: 1 }),
      Counted.make({ by: POISON }),
      Counted.make({ by: 1 })
    )
    await stops(first, "mended")
    await first.close()

    const again = await start()
    await again.project(counters({ name: "mended", count: refuse }))
    await stops(again, "mended")
    await again.close()

    const mended = await start()
    await mended.project(counters({ name: "mended", count: (by) => (by === POISON ? 0 : Number(by)) }))
    await mended.reaches("mended", await mended.emit("mended-1", Counted.make({ by: 1 })))
    expect(await db.query("select total, events from tidemark.mended")).toEqual([{ total: 3, events: 4 }])
    expect(await registered("mended")).toMatchObject({ state: "running", error: null })
  })

  it("goes on when another process has got past the event", async () => {
    const sick = await start()
    await sick.project(counters({ name: "helped", count: refuse }))
    await sick.emit("helped-1", Counted.make({ by: POISON }))
    await stops(sick, "helped")
    const well = await start()
    await well.project(counters({ name: "helped", count: () => 1 }))
    const position = await well.emit("helped-1", Counted.make({ by: 1 }))
    await until(() => sick.status("helped").state === "running", { within: 30_000 })
    await sick.reaches("helped", position)
  })
})

describe("a failure that is not the batch's", () => {
  it("is shown and tried again until it is over", async () => {
    const one = await start()
    await one.project(counters({ name: "denied" }))
    await one.reaches("denied", await one.emit("denied-1", Counted.make({ by: 1 })))
    const holder = await db.session()
    await db.query(`alter database "${db.name}" set lock_timeout = '100ms'`)
    await db.terminate("tidemark-process")
    await holder.query("begin")
    await holder.query("lock table tidemark.denied__1 in access exclusive mode")
    const position = await one.emit("denied-1", Counted.make({ by: 1 }))
    await until(() => one.status("denied").error?.message.includes("lock"))
    const since = performance.now()
    await until(() => one.status("denied").error === undefined || performance.now() - since > 500)
    expect(one.status("denied").error).toBeDefined()
    expect(one.status("denied").state).not.toBe("stopped")
    await holder.query("commit")
    await db.query(`alter database "${db.name}" reset lock_timeout`)
    await one.reaches("denied", position)
    expect(one.status("denied").error).toBeUndefined()
    expect(await registered("denied")).toMatchObject({ state: "running", error: null })
  })
})
