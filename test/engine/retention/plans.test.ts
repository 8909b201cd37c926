import { afterAll, beforeAll, expect, test } from "vitest"
import { streamsOf } from "../../../src/engine/retention/question.ts"
import { type Engine, open } from "../../../src/index.ts"
import { readSql } from "../../../src/projection/sql-source.ts"
import { withSchema } from "../../../src/postgres/sql-file.ts"
import { type Explained, explained } from "../../sql/explained.ts"
import { testDatabase } from "../../support/database.ts"
import { planRows } from "../../support/plan-rows.ts"

// Retention looks at what it is about to answer with, however much the log holds.

const db = testDatabase()

const EVENTS = planRows(20_000)
const PARTS = 4

let engine: Engine
let session: Explained

beforeAll(async () => {
  engine = await open({ database: db.url, logger: false, readModels: "follow" })
  await (await open({ database: db.url, logger: false })).close()
  await db.query(
    `insert into tidemark.telemetry (position, id, stream, version, type, data)
     select n, gen_random_uuid(), case when n % 10 = 0 then 'heartbeat-a' else 'metric-a' || n % 50 end, n, 'Beat', '{}'
     from generate_series(1, $1::integer) n`,
    [EVENTS]
  )
  await db.query(
    `insert into tidemark.agent_heartbeats (id, agent_id, timestamp, created_at, recorded_at)
     select n, 'a', now(), now(), now() from generate_series(1, $1::integer) n`,
    [EVENTS]
  )
  await db.query(
    `insert into tidemark.metric_hours (agent_id, metric_name, hour, part, count, sum, min, max, sketch)
     select 'a' || n % 50, 'cpu', '2026-01-01'::timestamptz + n / 50 * interval '1 hour', n % $2::integer, 1, 1, 1, 1, array[1]
     from generate_series(1, $1::integer) n`,
    [EVENTS, PARTS]
  )
  // As autovacuum does, which never looks at a partitioned table.
  await db.query("analyze tidemark.telemetry_0, tidemark.agent_heartbeats__1, tidemark.metric_hours__1")
  session = await explained(db.url, /^(?:telemetry_0|agent_heartbeats__1|metric_hours__1)$/)
})
afterAll(async () => {
  await session.end()
  await engine.close()
})

const PAGE = 100
const NONE: readonly [string, string] = streamsOf("system_log")

const statementOf = (file: `#${string}`): string =>
  withSchema(readSql(file), "tidemark")
    .replaceAll(':"partition"', "telemetry_0")
    .replaceAll(':"agent_heartbeats"', "tidemark.agent_heartbeats__1")

test.each<[string, `#${string}`, ReadonlyArray<unknown>, number]>([
  [
    "a page of telemetry",
    "#schema/queries/telemetry_page.sql",
    [EVENTS / 2, EVENTS, PAGE, new Date(0), ...streamsOf("heartbeat")],
    PAGE
  ],
  ["a page of an archive", "#schema/queries/archived_page.sql", [EVENTS / 2, EVENTS, PAGE, 1_000_000], PAGE],
  ["whether a partition holds a category", "#schema/queries/partition_holds.sql", streamsOf("metric"), 1],
  ["that a partition does not hold one", "#schema/queries/partition_holds.sql", NONE, 1],
  ["a page of sums", "#schema/queries/hourly_sums.sql", [1, "a20", "2026-01-02", "cpu", PAGE], 4 * PAGE],
  ["what is over, deleted", "#projections/heartbeats/retire.sql", [PAGE], PAGE]
])("%s", async (_, file, values, most) => {
  await session.query(statementOf(file), values)
  const looks = session.looks()
  expect(looks.length).toBeGreaterThan(0)
  expect(looks.reduce((sum, { rows }) => sum + rows, 0)).toBeLessThanOrEqual(most)
})
