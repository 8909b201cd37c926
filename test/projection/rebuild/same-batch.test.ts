import { Schema } from "effect"
import { expect, it } from "vitest"
import { eventType } from "../../../src/log/event-type.ts"
import { type ProjectionDefinition, rows } from "../../../src/projection/definition.ts"
import { scene } from "../scene.ts"
import { rowsOf } from "./looks.ts"

const { db, start } = scene()

const Said = eventType("Said", Schema.Unknown)

/** Keeps all that a fold can see of an event. */
const everything: ProjectionDefinition = {
  name: "everything",
  version: 1,
  events: [Said],
  tables: {
    text: `create table :"everything" (
      position bigint primary key, id uuid, stream text, version bigint, type text, data jsonb, is_null boolean, labels text[],
      meta jsonb, recorded_at timestamptz, schema_version integer, sorted_by text
    )`
  },
  relations: ["everything"],
  model: rows({
    text: `insert into :"everything"
      select position, id, stream, version, type, data, data is null, labels, meta, recorded_at, schema_version, pg_collation_for(stream)
      from :batch event`
  }),
  operations: {}
}

const DATA: ReadonlyArray<unknown> = [
  {},
  null,
  "text",
  17,
  0.1 + 0.2,
  -0,
  1e21,
  1e-7,
  123456789012345.67,
  true,
  [],
  [null, { deep: [1, "two", { "": null }] }],
  { "": "", ключ: "значение", "\u{1f40e}": "\u2028" },
  { long: "x".repeat(20_000) }
]

it("what the server folds by itself sees of an event what a live fold sees, to the last column", async () => {
  const one = await start()
  await one.project(everything)
  let last = 0
  for (const [at, data] of DATA.entries())
    last = await one.emit(
      `said-${at % 3}`,
      { type: "Said", data, ...(at % 2 === 0 ? { labels: ["one", "two:2"] } : {}) },
      { type: "Other", data }
    )
  await db.query(
    `select tidemark.append_events('said-sql', '[{"type": "Said", "data": {"n": 1.50}, "meta": {"actor": "psql"}, "labels": ["by:sql"]}]')`
  )
  last = await one.emit("said-1", { type: "Said" })
  await one.reaches("everything", last)
  const before = await rowsOf(db, "everything")
  expect(before).toHaveLength(DATA.length + 2)
  const report = await one.rebuild(everything, { verify: true })
  expect(report.verified).toMatchObject({ tables: [{ different: 0, onlyLive: 0, onlyRebuilt: 0 }] })
  expect(await rowsOf(db, "everything")).toEqual(before)
})
