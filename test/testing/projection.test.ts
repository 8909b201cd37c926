import { Schema } from "effect"
import { afterAll, beforeAll, describe, expect, test } from "vitest"
import { entities, eventType, projection, rows } from "../../src/index.ts"
import { type TestPostgres, testPostgres, testProjection } from "../../src/testing.ts"
import { testDatabase } from "../support/database.ts"

const db = testDatabase()
let postgres: TestPostgres
beforeAll(async () => {
  postgres = await testPostgres({ database: db.url })
})
afterAll(() => postgres.stop())

const Counted = eventType("Counted", Schema.Struct({ by: Schema.Number }))
const counted = (stream: string, ...by: ReadonlyArray<number>) => ({
  stream,
  events: by.map((one) => Counted.make({ by: one }))
})

interface TotalRow extends Record<string, unknown> {
  readonly stream: string
  readonly total: number
}

const totals = (fold: (row: TotalRow | undefined, by: number) => number) =>
  projection({
    name: "totals",
    version: 1,
    events: [Counted],
    tables: { text: 'create table :"totals" (stream text primary key, total integer not null)' },
    relations: ["totals"],
    model: entities<TotalRow>({
      table: "totals",
      key: "stream",
      keyOf: (event) => event.stream,
      fold: (row, event) =>
        Counted.is(event) ? { stream: event.stream, total: fold(row, event.data.by) } : row
    }),
    operations: {}
  })

const sum = totals((row, by) => (row?.total ?? 0) + by)

/** Counts how many events came together: what no fold may depend on. */
const together = projection({
  ...sum,
  name: "together",
  tables: { text: 'create table :"together" (stream text primary key, total integer not null)' },
  relations: ["together"],
  model: rows({
    text: `insert into :"together" as one select stream, count(*)::integer * count(*)::integer from :batch group by stream
           on conflict (stream) do update set total = one.total + excluded.total`
  })
})

describe("a read model under test", () => {
  test("passes where it is right however its events are folded", async () => {
    await testProjection(postgres, sum)
      .given(counted("a-1", 1, 2), counted("b-1", 7))
      .when(counted("a-1", 4))
      .then(async (_, all) => {
        const found = await all<TotalRow>("totals")
        expect(found.toSorted((one, other) => one.stream.localeCompare(other.stream))).toEqual([
          { stream: "a-1", total: 7 },
          { stream: "b-1", total: 7 }
        ])
      })
  })

  test("does not pass where it is wrong, and it is said how its events were folded", async () => {
    const wrong = testProjection(postgres, sum)
      .given(counted("a-1", 1))
      .then(async (_, all) => expect(await all("totals")).toEqual([]))
    await expect(wrong).rejects.toThrow("Folded in batches: ")
  })

  test("does not pass where what it becomes depends on which events come together", async () => {
    const asked = testProjection(postgres, together)
      .given(counted("a-1", 1, 1, 1))
      .then(async (_, all) => expect(await all("together")).toEqual([{ stream: "a-1", total: 9 }]))
    await expect(asked).rejects.toThrow("Folded one by one: ")
  })
})

test("logs for tests begin empty, are shared on request, and are gone in the end", async () => {
  const own = await testPostgres({ database: db.url })
  const one = await own.open()
  await one.emit("a-1", { type: "Counted", data: { by: 1 } })
  const [joined, other] = [await own.join(one), await own.open()]
  expect([await joined.settled(), await other.settled()].map((position) => position > 0)).toEqual([
    true,
    false
  ])
  const schemas = () =>
    db.query<{ count: number }>(
      "select count(*)::integer as count from pg_namespace where nspname ~ '^test_[0-9a-f]{32}$'"
    )
  const [{ count: before }] = (await schemas()) as [{ count: number }]
  await own.stop()
  await own.stop()
  expect(await schemas()).toEqual([{ count: before - 2 }])
})
