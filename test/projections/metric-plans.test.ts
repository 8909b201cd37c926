import { afterEach, beforeEach, expect, it } from "vitest"
import { builtIn } from "../../projections/index.ts"
import { readSql } from "../../src/projection/sql-source.ts"
import { withSchema } from "../../src/postgres/sql-file.ts"
import { type Explained, explained } from "../sql/explained.ts"
import { scene } from "../projection/scene.ts"
import { planRows } from "../support/plan-rows.ts"

// What the server looks at for a summary, where there are many minutes and hours of many metrics: those of the time that is asked for.

const { db, start } = scene()

const AGENTS = 200
const METRICS = 5

/** As many minutes and hours of each metric as make 130 000 and 120 000 rows, or as many times more. */
const TIMES = planRows(100_000) / 100_000
const MINUTES = 130 * TIMES
const HOURS = 120 * TIMES

let session: Explained

beforeEach(async () => {
  const one = await start()
  await one.project(builtIn.metric_rollups)
  for (const [table, unit, rows] of [
    ["metric_minutes__1", "minute", MINUTES],
    ["metric_hours__1", "hour", HOURS]
  ] as const)
    await db.query(
      `insert into tidemark.${table}
       select 'a' || agent, 'm' || name, date_trunc($1, now(), 'UTC') - nth * ('1 ' || $1)::interval, 0, 1, 1, 1, 1, array[20000::bigint << 40 | 1]
       from generate_series(0, $4 - 1) nth, generate_series(1, $2) agent, generate_series(1, $3) name
       order by nth desc`,
      [unit, AGENTS, METRICS, rows]
    )
  await db.query("analyze tidemark.metric_minutes__1, tidemark.metric_hours__1")
  session = await explained(db.url, /^metric_(?:minutes|hours)__1$/)
})
afterEach(() => session.end())

/** An hour of minutes, and one more of either, where the time asked for begins. */
const edge = 61

const asked = async (values: ReadonlyArray<unknown>, mostRows: number) => {
  const text = withSchema(readSql("#projections/metric-rollups/summary.sql"), "tidemark")
  await session.query(text, values)
  const looks = session.looks()
  const rows = looks.reduce((sum, look) => sum + look.rows, 0)
  expect(looks.length).toBeGreaterThan(0)
  expect(looks.filter(({ node }) => node === "Seq Scan")).toEqual([])
  expect([values, rows > 0 && rows <= mostRows, rows]).toEqual([values, true, rows])
}

it("no summary looks at more than the minutes and hours that it is of", async () => {
  const LIMIT = 10_000
  const [agent, name] = ["a3", "m3"]
  const day = 24 + 1
  await asked([agent, null, 24, null, LIMIT], METRICS * (day + edge))
  // By an agent's times, whatever the metric.
  await asked([agent, name, 24, null, LIMIT], METRICS * (day + edge))
  await asked([agent, name, 24, "hour", LIMIT], METRICS * (day + edge))
  await asked([agent, name, 2, "minute", LIMIT], METRICS * (2 * 60 + 1))
  await asked([null, name, 24, null, LIMIT], AGENTS * METRICS * (day + edge))
  await asked([null, null, 1, null, LIMIT], AGENTS * METRICS * (2 + edge))
})
