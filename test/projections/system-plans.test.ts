import { afterEach, beforeEach, expect, it } from "vitest"
import { SEVERITIES } from "../../projections/system-events/events.ts"
import { builtIn } from "../../projections/index.ts"
import { withSchema } from "../../src/postgres/sql-file.ts"
import { readSql } from "../../src/projection/sql-source.ts"
import { type Explained, explained, REPEATS } from "../sql/explained.ts"
import { scene } from "../projection/scene.ts"
import { planRows } from "../support/plan-rows.ts"

const { db, start } = scene()

const ROWS = planRows(100_000)
const LIMIT = 10

/** Of each severity as many, then the rows of the page themselves, and the one before which it is. */
const MOST_ROWS = SEVERITIES.length * LIMIT + LIMIT + 1

let session: Explained

beforeEach(async () => {
  const one = await start()
  await one.project(builtIn.system_events)
  await one.project(builtIn.system_state)
  // Nearly all are of one type, one agent and one severity; the type, agent and severities asked for are rare or frequent.
  await db.query(
    `insert into tidemark.system_events__1 (id, event_type, agent_id, timestamp, severity, recorded_at)
     select n, case when n % 1000 = 0 then 'rare' else 'often' end, case when n % 3 = 0 then null when n % 500 = 1 then 'a' else 'busy' end,
       now() - make_interval(secs => $1 - n), case when n % 10000 = 7 then 'CRITICAL' else 'INFO' end, now()
     from generate_series(1, $1) n`,
    [ROWS]
  )
  await db.query(
    `insert into tidemark.system_state__1 (stream, id, key, value, version, created_at, updated_at, recorded_at)
     select 'system_state-k' || n, n, 'k' || n, '1', 1, now(), now(), now() from generate_series(1, $1) n`,
    [ROWS]
  )
  await db.query(
    `insert into tidemark.events (id, stream, version, type, data)
     select gen_random_uuid(), 'system_state-k1', n, 'SystemStateSet', '{"key":"k1","value":1}' from generate_series(1, $1) n`,
    [ROWS]
  )
  await db.query("analyze tidemark.system_events__1, tidemark.system_state__1, tidemark.events")
  session = await explained(db.url, /^(?:system_events__1|system_state__1|events)$/)
})
afterEach(() => session.end())

const asked = async (file: `#${string}`, params: ReadonlyArray<unknown>) => {
  const text = withSchema(readSql(file), "tidemark")
  // Also by the plan that is for all values.
  for (let time = 0; time < REPEATS; time++) {
    await session.query(text, params, file.split("/").at(-1)!)
    const looks = session.looks()
    const rows = looks.reduce((sum, look) => sum + look.rows, 0)
    expect(looks.length).toBeGreaterThan(0)
    expect(looks.filter(({ node }) => !node.startsWith("Index"))).toEqual([])
    expect([file, params, rows <= MOST_ROWS, rows]).toEqual([file, params, true, rows])
  }
}

it("no question about system events or the global state looks at more rows than it answers with", async () => {
  const list = "#projections/system-events/list.sql"
  const since = new Date(Date.now() - 3_600_000)
  const until = new Date(Date.now() - 60_000)
  for (const severities of [SEVERITIES, SEVERITIES.slice(-1)])
    for (const type of [null, "rare", "often", "none"])
      for (const agent of [null, "a", "busy", "nobody"]) {
        await asked(list, [severities, type, agent, null, null, null, LIMIT])
        await asked(list, [severities, type, agent, since, until, 99_000, LIMIT])
      }
  await asked("#projections/system-state/get.sql", ["k77"])
  await asked("#projections/system-state/all.sql", ["", "\u{10ffff}", "", LIMIT])
  await asked("#projections/system-state/all.sql", ["k9", "k9\u{10ffff}", "k95", LIMIT])
  await asked("#projections/system-state/history.sql", ["system_state-k1", null, LIMIT])
  await asked("#projections/system-state/history.sql", ["system_state-k1", 500, LIMIT])
  await asked("#projections/system-state/standing.sql", ["system_state-k1"])
})

it("counts look only at the entries of an index for the time asked for", async () => {
  const counts = withSchema(readSql("#projections/system-events/counts.sql"), "tidemark")
  const since = new Date(Date.now() - 600_000)
  for (let time = 0; time < REPEATS; time++)
    await session.query(counts, [SEVERITIES, since, null, 24], "counts")
  const looks = session.looks()
  expect(looks.filter(({ node }) => !node.startsWith("Index"))).toEqual([])
  expect(looks.reduce((sum, { rows }) => sum + rows, 0)).toBeLessThan(REPEATS * 1_000)
})
