import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { chunks } from "../../src/projection/rows-fold.ts"
import { entities, type Row } from "../../src/projection/definition.ts"
import { Counted, counters, entries, Removed, scene, stops } from "./scene.ts"

const { db, start } = scene()

const totals = (name: string) =>
  db.query<{ id: string; total: number; events: number }>(
    `select id, total, events from tidemark.${name} order by id`
  )

describe("an entities projection", () => {
  it("keeps one row per thing, over as many batches as it takes", async () => {
    const one = await start()
    const name = "totals"
    await one.project(counters({ name }))
    await one.emit("count-a", Counted.make({ by: 1 }), Counted.make({ by: 2 }))
    await one.reaches(name, await one.emit("count-b", Counted.make({ by: 10 })))
    await one.reaches(name, await one.emit("count-a", Counted.make({ by: 4 })))
    expect(await totals(name)).toEqual([
      { id: "count-a", total: 7, events: 3 },
      { id: "count-b", total: 10, events: 1 }
    ])
  })

  it("deletes the row of a thing that is no more, and makes it anew when it comes again", async () => {
    const one = await start()
    await one.project(counters({ name: "removals" }))
    await one.reaches("removals", await one.emit("gone-a", Counted.make({ by: 5 })))
    await one.reaches("removals", await one.emit("gone-a", Removed.make({})))
    expect((await totals("removals")).filter(({ id }) => id === "gone-a")).toEqual([])
    await one.reaches(
      "removals",
      await one.emit("gone-a", Counted.make({ by: 2 }), Removed.make({}), Counted.make({ by: 3 }))
    )
    expect((await totals("removals")).filter(({ id }) => id === "gone-a")).toEqual([
      { id: "gone-a", total: 3, events: 1 }
    ])
  })

  it("gives what folding all events of a thing in order gives, however they come", async () => {
    const one = await start()
    await one.project(counters({ name: "model" }))
    let run = 0
    await fc.assert(
      fc.asyncProperty(
        fc.array(
          fc.array(
            fc.record({
              thing: fc.integer({ min: 0, max: 3 }),
              by: fc.option(fc.integer({ min: -9, max: 9 }))
            }),
            { minLength: 1, maxLength: 6 }
          ),
          { minLength: 1, maxLength: 8 }
        ),
        async (appends) => {
          run += 1
          const expected = new Map<string, number>()
          let last = 0
          for (const append of appends) {
            for (const { thing, by } of append) {
              const stream = `model${run}-${thing}`
              if (by === null) expected.delete(stream)
              else expected.set(stream, (expected.get(stream) ?? 0) + by)
              last = await one.emit(stream, by === null ? Removed.make({}) : Counted.make({ by }))
            }
          }
          await one.reaches("model", last)
          const rows = await db.query<{ id: string; total: number }>(
            "select id, total from tidemark.model where id like $1 order by id",
            [`model${run}-%`]
          )
          expect(rows).toEqual([...expected].toSorted().map(([id, total]) => ({ id, total })))
        }
      ),
      { numRuns: 15 }
    )
  })

  it.each([
    ["a column that its table has not", (id: string) => ({ id, totl: 1 }), "totl"],
    ["another thing's row", () => ({ id: "other", total: 1, events: 1 }), "other"],
    ["a promise", (id: string) => Object.assign(Promise.resolve(), { id }) as object as Row, "promise"]
  ] as const)("stops where its fold returns %s", async (_what, wrong, said) => {
    const one = await start()
    const name = `wrong_${said}`
    await one.project({
      ...counters({ name }),
      model: entities({
        table: name,
        key: "id",
        keyOf: (event) => event.stream,
        fold: (_, event) => wrong(event.stream)
      })
    })
    await one.emit(`${name}-1`, Counted.make({ by: 1 }))
    await stops(one, name)
    expect(one.status(name).error?.message).toContain(said)
  })
})

describe("a rows projection", () => {
  it("makes rows of the events of its types, and of no others", async () => {
    const one = await start()
    await one.project(entries({ name: "ledger" }))
    await one.emit(
      "row-a",
      Counted.make({ by: 1 }),
      { type: "Ignored", data: { by: 99 } },
      Counted.make({ by: 2 })
    )
    await one.reaches("ledger", await one.emit("row-b", Counted.make({ by: 3 })))
    expect(
      await db.query("select stream, by from tidemark.ledger where stream like 'row-%' order by position")
    ).toEqual([
      { stream: "row-a", by: 1 },
      { stream: "row-a", by: 2 },
      { stream: "row-b", by: 3 }
    ])
  })

  it("catches up with a log that is longer than a page, and goes on live", async () => {
    const one = await start()
    let last = 0
    for (let part = 0; part < 5; part++)
      last = await one.emit("long-a", ...Array.from({ length: 1_300 }, () => Counted.make({ by: 1 })))
    await one.project(entries({ name: "long" }))
    await one.project(counters({ name: "long_totals" }))
    await one.reaches("long", last)
    await one.reaches("long_totals", last)
    last = await one.emit("long-a", Counted.make({ by: 1 }))
    await one.reaches("long", last)
    await one.reaches("long_totals", last)
    expect(await db.query("select count(*)::integer from tidemark.long where stream = 'long-a'")).toEqual([
      { count: 6_501 }
    ])
    expect((await totals("long_totals")).find(({ id }) => id === "long-a")).toMatchObject({
      total: 6_501,
      events: 6_501
    })
    expect(one.status("long")).toMatchObject({ state: "running", lag: { atMost: 0, isCount: true } })
  })

  it("sends a batch in statements that no large event makes too large", () => {
    const event = (position: number) => ({
      position,
      id: "",
      stream: "a-1",
      version: position,
      type: "Counted",
      data: { text: "x".repeat(100) },
      labels: [],
      meta: {},
      recordedAt: new Date(0),
      schemaVersion: 1
    })
    const sent = chunks([1, 2, 3, 4, 5].map(event), 600)
    expect(
      sent.map((text) => (JSON.parse(text) as Array<{ position: number }>).map(({ position }) => position))
    ).toEqual([[1, 2], [3, 4], [5]])
    expect(chunks([1, 2].map(event), 1)).toHaveLength(2)
  })
})
