import { describe, expect, it } from "vitest"
import { Counted, counters, entries, Removed, scene } from "../scene.ts"

const { db, start } = scene()

const rowsOf = (table: string) => db.query(`select * from tidemark.${table} order by 1`)

const generationsOf = (name: string) =>
  db.query<{ generation: number; state: string }>(
    "select generation, state from tidemark.generations where projection = $1 order by generation",
    [name]
  )

describe("a rebuild", () => {
  it.each([
    ["entities", counters],
    ["rows", entries]
  ])("of %s fills the next generation with what the live one has, and takes its place", async (_, make) => {
    const one = await start()
    const definition = make({ name: "plain" })
    await one.project(definition)
    let last = 0
    for (let round = 0; round < 5; round++)
      last = await one.emit(
        `plain-${round % 3}`,
        ...Array.from({ length: 40 }, (_unused, at) => Counted.make({ by: at }))
      )
    last = await one.emit("plain-1", Removed.make({}))
    await one.reaches("plain", last)
    const before = await rowsOf("plain")
    const report = await one.rebuild(definition, { verify: true })
    expect(report).toMatchObject({
      projection: "plain",
      from: { generation: 1, version: 1 },
      to: { generation: 2, version: 1 },
      verified: { sameDefinition: true, tables: [{ relation: "plain", different: 0, rows: before.length }] },
      dropped: []
    })
    expect(await rowsOf("plain")).toEqual(before)
    expect(await rowsOf("plain__2")).toEqual(before)
    expect(await generationsOf("plain")).toEqual([
      { generation: 1, state: "kept" },
      { generation: 2, state: "live" }
    ])
    await one.reaches("plain", await one.emit("plain-9", Counted.make({ by: 7 })))
    expect(await rowsOf("plain__2")).toHaveLength(before.length + 1)
    expect(await rowsOf("plain__1")).toHaveLength(before.length)
  })
})
