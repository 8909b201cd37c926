import { afterAll, beforeAll, expect, test } from "vitest"
import { statementOf, withSchema } from "../../src/postgres/sql-file.ts"
import { readSql, type SqlSource } from "../../src/projection/sql-source.ts"
import { testLog } from "../log/test-log.ts"
import { type Explained, explained, REPEATS } from "../sql/explained.ts"
import { planRows } from "../support/plan-rows.ts"

// What the server looks at where there are many agents: as many rows as the answer has, and a few more.

const log = testLog({ readModels: "keep" })

const AGENTS = planRows(100_000)
const PAGE = 50

/** A row of each table for each row of the answer, and the ends of three streams. */
const MOST_ROWS = 8 * PAGE

const TABLES = /^(?:agents|agent_health|agent_heartbeats|events|streams|telemetry_\d+)(?:__1)?$/

let session: Explained

const fill = [
  `insert into tidemark.agents__1 (agent_id, type, state, capabilities, stopped_at, version, created_at, updated_at, recorded_at)
   select 'a' || n, case when n % 1000 = 0 then 'rare' else 't' || n % 2 end, case when n % 500 = 1 then 'failing' when n % 3 = 0 then 'stopped' else 'running' end,
     case when n % 1000 = 1 then array['rare', 'often'] else array['often'] end, case when n % 3 = 0 then now() end, 2, now(), now(), now()
   from generate_series(1, ${AGENTS}) n`,
  // Few are due, and few are late or lost.
  `insert into tidemark.agent_health__1
   select 'a' || n, 'watched', case when n % 1000 = 0 then 'lost' when n % 1000 = 1 then 'late' else 'healthy' end, now(), 60000, false, now(), n, now(), 0,
     now() + case when n % 2000 = 0 then interval '-1 minute' else interval '1 minute' end, now()
   from generate_series(1, ${AGENTS}) n`,
  `insert into tidemark.agent_heartbeats__1 (id, agent_id, timestamp, created_at, recorded_at)
   select n, 'a' || n % 1000, now() - n * interval '1 second', now(), now() from generate_series(1, ${AGENTS}) n`,
  `insert into tidemark.events (id, stream, version, type, data)
   select gen_random_uuid(), 'agent-a' || (n + 1) / 2, 1 + n % 2, 'AgentRegistered', '{}' from generate_series(1, ${AGENTS}) n`
]

beforeAll(async () => {
  const { engine, db } = log
  await engine.heartbeats.record({ agent: "a2000" })
  await engine.heartbeats.recent()
  await engine.vitals.overview()
  // Another watchdog than this test's questions would judge what is due here.
  await engine.close()
  await db.pool.query("truncate tidemark.agent_health__1, tidemark.agent_heartbeats__1")
  for (const sql of fill) await db.pool.query(sql)
  await db.pool.query("vacuum analyze")
  session = await explained(db.url, TABLES)
})
afterAll(() => session?.end())

const NONE = null
const ALL = 2 ** 52
const agent = "a77777"

const lists = [NONE, "running", "failing", "none"].flatMap((state) =>
  [NONE, "t1", "rare", "none"].flatMap((type) =>
    [NONE, "often", "rare", "none"].flatMap((capability) =>
      [false, true].map(
        (active) =>
          [
            `agents in state ${state}, of type ${type}, with ${capability}${active ? ", active" : ""}`,
            "#projections/agents/list.sql",
            [state, type, capability, active, active ? "a5" : "", PAGE]
          ] as const
      )
    )
  )
)

const questions: ReadonlyArray<readonly [what: string, sql: SqlSource, values: ReadonlyArray<unknown>]> = [
  ["one agent", "#projections/agents/get.sql", [agent]],
  ["its status", "#projections/agents/status.sql", [agent, 60_000]],
  ["how it stands", "#projections/agents/standing.sql", [agent, `agent-${agent}`, ["AgentRetired"]]],
  ["which of some are stopped", "#projections/agents/stopped.sql", [["a3", "a4"]]],
  ["its health", "#projections/heartbeats/health.sql", ["a777", 60_000]],
  ["who is due", "#projections/vitals/due.sql", [ALL, PAGE, "-infinity", ""]],
  ["who is due next", "#projections/vitals/soonest.sql", []],
  ["who is late or lost", "#projections/vitals/unwell.sql", [["late", "lost"], "", PAGE]],
  ["who is lost, an older page", "#projections/vitals/unwell.sql", [["lost"], "a5", PAGE]]
]

const rowsPerAsking = async (sql: SqlSource, values: ReadonlyArray<unknown>): Promise<number> => {
  // As operations do it: prepared under one name for all values, but for lists, whose filters may be left out.
  const { text, name } = statementOf(withSchema(readSql(sql), "tidemark"))
  const isPlannedAnew = typeof sql === "string" && sql.endsWith("/list.sql")
  const times = isPlannedAnew ? 1 : REPEATS
  for (let nth = 0; nth < times; nth++) await session.query(text, values, isPlannedAnew ? undefined : name)
  const looks = session.looks()
  expect(looks.length).toBeGreaterThan(0)
  expect(looks.filter(({ node }) => node === "Seq Scan")).toEqual([])
  const last = looks.slice(-Math.ceil(looks.length / times))
  return last.reduce((sum, look) => sum + look.rows, 0)
}

test.each(questions)("%s is found by an index, as often as it is asked", async (_, sql, values) => {
  expect(await rowsPerAsking(sql, values)).toBeLessThanOrEqual(MOST_ROWS)
})

test("agents are found by an index, whatever they are chosen by", async () => {
  for (const [what, sql, values] of lists) {
    const rows = await rowsPerAsking(sql, values)
    expect([what, rows <= AGENTS / 10, rows]).toEqual([what, true, rows])
  }
})
