import { afterEach, beforeEach, expect, it } from "vitest"
import { builtIn } from "../../projections/index.ts"
import { withSchema } from "../../src/postgres/sql-file.ts"
import { readSql } from "../../src/projection/sql-source.ts"
import { scene } from "../projection/scene.ts"
import { type Explained, explained, REPEATS } from "../sql/explained.ts"
import { planRows } from "../support/plan-rows.ts"

// What the server looks at each time rules are judged, where there is much that they are not about: what lies in their windows.

const { db, start } = scene()

const ROWS = planRows(100_000)
const AGENTS = 200
const METRICS = 5
const LOST = 10
const OPEN = 100

let session: Explained

beforeEach(async () => {
  const one = await start()
  for (const name of ["alerts", "alert_rules", "metric_rollups", "system_events", "vitals"] as const)
    await one.project(builtIn[name] as typeof builtIn.alerts)
  await db.query(
    `insert into tidemark.metric_minutes__1
     select 'a' || agent, 'm' || name, date_trunc('minute', now()) - (nth - 1) * interval '1 minute', 0, 1, 1, 1, 1, array[20000::bigint << 40 | 1]
     from generate_series(1, $3) nth, generate_series(1, $1) agent, generate_series(1, $2) name
     order by nth desc`,
    [AGENTS, METRICS, ROWS / (AGENTS * METRICS)]
  )
  await db.query(
    `insert into tidemark.system_events__1 (id, event_type, agent_id, timestamp, severity, recorded_at)
     select n, 't', 'a' || n % 7, now() - make_interval(secs => $1 - n), case when n % 10 = 7 then 'ERROR' else 'INFO' end, now()
     from generate_series(1, $1) n`,
    [ROWS]
  )
  await db.query(
    `insert into tidemark.agent_health__1
     select 'a' || n, 'watched', case when n <= $2 then 'lost' else 'healthy' end, now(), 60000, true, now(), n, now(), n, now(), now()
     from generate_series(1, $1) n`,
    [ROWS, LOST]
  )
  await db.query(
    `insert into tidemark.alerts__1
       (alert_id, id, rule, subject, status, severity, kind, threshold, since, summary, rule_version, raised_at, recorded_at)
     select 'i' || n, n, 'r' || n % 5, 'a' || n % 1000, case when n > $1 - $2 then 'open' else 'cleared' end, 'ERROR', 'metric', 1, now(), 's', 1,
       now(), now()
     from generate_series(1, $1) n`,
    [ROWS, OPEN]
  )
  await db.query(
    "analyze tidemark.metric_minutes__1, tidemark.system_events__1, tidemark.agent_health__1, tidemark.alerts__1"
  )
  session = await explained(db.url, /^(?:metric_minutes|system_events|agent_health|alerts)__1$/)
})
afterEach(() => session.end())

const asked = async (
  file: `#${string}`,
  params: ReadonlyArray<unknown>,
  mostRows: number,
  isNamed = true
) => {
  const text = withSchema(readSql(file), "tidemark")
  // Also by the plan that is for all values, where there is to be one.
  for (let time = 0; time < REPEATS; time++) {
    await session.query(text, params, isNamed ? file.split("/").at(-1)! : undefined)
    const looks = session.looks()
    const rows = looks.reduce((sum, look) => sum + look.rows, 0)
    expect(looks.length).toBeGreaterThan(0)
    expect(looks.filter(({ node }) => node === "Seq Scan")).toEqual([])
    expect([file, params, rows <= mostRows, rows]).toEqual([file, params, true, rows])
  }
}

const ruled = (condition: object) => JSON.stringify([{ rule: "r1", condition, open: [] }])

it("rules are judged by what lies in their windows, and alerts are listed by what they are", async () => {
  const FOR_MINUTES = 5
  const FRESH_MINUTES = 5
  const looked = FOR_MINUTES + FRESH_MINUTES + 1
  const metric = {
    kind: "metric",
    metric: "m1",
    of: "p95",
    is: "above",
    threshold: 9,
    forMinutes: FOR_MINUTES
  }
  await asked("#projections/alerts/metric.sql", [ruled(metric), FRESH_MINUTES], AGENTS * METRICS * looked)
  await asked("#projections/alerts/missed-beats.sql", [ruled({ from: "late" })], LOST)
  const window = { windowMs: 300_000 }
  // Its events, one a second, and a look beyond either end of each severity.
  const within = 300 + 2 * 5
  await asked("#projections/alerts/error-rate.sql", [ruled(window)], within)
  await asked("#projections/alerts/system-event.sql", [ruled({ ...window, severity: "INFO" })], within)
  await asked(
    "#projections/alerts/system-event.sql",
    [ruled({ ...window, severity: "ERROR", type: "t" })],
    300
  )
  // Those that are open are looked at twice: for the rules that are gone, and for their alerts.
  await asked("#projections/alerts/judged.sql", [ROWS], 2 * OPEN)
  const LIMIT = 10
  const list = (...values: ReadonlyArray<unknown>) =>
    asked("#projections/alerts/list.sql", [...values, LIMIT], 20 * LIMIT, false)
  await list(null, null, null, null, null)
  await list("open", null, ["ERROR", "CRITICAL"], null, null)
  await list(null, "r3", null, null, ROWS / 2)
  await list(null, null, null, "a7", null)
})
