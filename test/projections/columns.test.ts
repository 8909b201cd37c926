import { expect, it } from "vitest"
import { builtIn } from "../../projections/index.ts"
import { scene } from "../projection/scene.ts"

const { db, start } = scene()

/** The tables and columns that the first documents of the system gave them. */
const seeds = {
  agents: ["agent_id", "state", "started_at", "stopped_at", "config", "metadata", "created_at", "updated_at"],
  agent_heartbeats: ["id", "agent_id", "timestamp", "state", "error_count", "metrics", "created_at"],
  performance_metrics: ["id", "agent_id", "metric_name", "value", "unit", "timestamp", "metadata"]
} as const

/** And the columns of their indexes. */
const seedIndexes = {
  agents: ["(state)", "(started_at)"],
  agent_heartbeats: ['(agent_id, "timestamp" DESC)', '("timestamp" DESC)'],
  performance_metrics: ['(agent_id, metric_name, "timestamp" DESC)', '("timestamp" DESC)']
} as const

const tables = Object.keys(seeds) as Array<keyof typeof seeds>

const projectAll = async () => {
  const one = await start()
  await one.project(builtIn.agents)
  await one.project(builtIn.heartbeats)
  await one.project(builtIn.metrics)
}

it.each(tables)("%s has every column by its name, and both times of its last event", async (table) => {
  await projectAll()
  const rows = await db.query<{ name: string }>(
    "select column_name as name from information_schema.columns where table_schema = 'tidemark' and table_name = $1",
    [table]
  )
  expect(rows.map(({ name }) => name)).toEqual(
    expect.arrayContaining([...seeds[table], "occurred_at", "recorded_at"])
  )
})

it.each(tables)("%s has its indexes", async (table) => {
  await projectAll()
  const rows = await db.query<{ definition: string }>(
    "select indexdef as definition from pg_indexes where schemaname = 'tidemark' and tablename = $1",
    [`${table}__1`]
  )
  for (const columns of seedIndexes[table]) {
    expect(rows.filter(({ definition }) => definition.endsWith(columns))).toHaveLength(1)
  }
})
