import { afterAll, beforeAll, describe, expect, test } from "vitest"
import { type Engine, open } from "../../src/index.ts"
import { testDatabase } from "../support/database.ts"
import { until } from "../support/eventually.ts"

// What psql and dashboards ask, without any TypeScript.

const database = testDatabase()
let engine: Engine

const HOUR_MS = 3_600_000
const ago = (hours: number): string => new Date(Date.now() - hours * HOUR_MS).toISOString()

beforeAll(async () => {
  engine = await open({ database: database.url, logger: false })
  const { agents, heartbeats, metrics, systemEvents } = engine
  await agents.register({ agent: "a", occurredAt: ago(3), name: "Ada", type: "billing" })
  await agents.register({ agent: "b", occurredAt: ago(5) })
  await agents.register({ agent: "c", state: "idle" })
  await agents.register({ agent: "d" })
  await agents.stop({ agent: "d" })
  await heartbeats.record({ agent: "a", state: "running", errorCount: 2, metrics: { cpu_usage: 20, mem: 1 } })
  await heartbeats.record({ agent: "a", metrics: { cpu_usage: 40 }, occurredAt: ago(1) })
  await heartbeats.record({ agent: "a", metrics: { cpu_usage: "much" }, occurredAt: ago(2) })
  await heartbeats.record({ agent: "b", metrics: { cpu_usage: 90 }, occurredAt: ago(25) })
  await heartbeats.record({ agent: "b", occurredAt: ago(23) })
  await metrics.record([
    { agent: "a", name: "latency", value: 1 },
    { agent: "a", name: "latency", value: 4 },
    { agent: "a", name: "latency", value: 100, occurredAt: ago(1.1) },
    { agent: "b", name: "depth", value: -1.5 }
  ])
  await systemEvents.log({ type: "t", severity: "ERROR" })
  await systemEvents.log({ type: "t", severity: "CRITICAL" })
  await systemEvents.log({ type: "t", severity: "WARNING" })
  await systemEvents.log({ type: "t", severity: "ERROR", occurredAt: ago(1.1) })
  await until(async () => (await engine.status()).projections.every(({ lag }) => lag.atMost === 0))
})

afterAll(() => engine.close())

const of = (view: string) => database.query<Record<string, unknown>>(`select * from tidemark.${view}`)

/** The views, the columns that they have always had, and what they show here. */
const VIEWS = {
  active_agents: {
    columns: ["agent_id", "state", "started_at", "uptime"],
    shown: [
      { agent_id: "b", state: "running", name: null },
      { agent_id: "a", state: "running", name: "Ada", type: "billing" }
    ]
  },
  recent_heartbeats: {
    columns: ["agent_id", "timestamp", "state", "error_count", "cpu_usage"],
    shown: [{ agent_id: "a", state: "running", error_count: 2, cpu_usage: 20 }]
  },
  agent_health_summary: {
    columns: ["agent_id", "heartbeat_count", "last_heartbeat", "avg_cpu"],
    shown: [
      { agent_id: "a", heartbeat_count: "3", avg_cpu: "30.0000000000000000", error_count: 2 },
      { agent_id: "b", heartbeat_count: "1", avg_cpu: null }
    ]
  },
  metrics_summary: {
    columns: ["agent_id", "metric_name", "avg_value", "max_value", "sample_count"],
    shown: [
      {
        agent_id: "a",
        metric_name: "latency",
        avg_value: "2.5000000000000000",
        max_value: "4",
        sample_count: "2"
      },
      { agent_id: "b", metric_name: "depth", max_value: "-1.5", min_value: "-1.5", sample_count: "1" }
    ]
  },
  system_health: {
    columns: ["metric", "value"],
    shown: [
      { metric: "Total Agents", value: "4" },
      { metric: "Running Agents", value: "2" },
      { metric: "Recent Heartbeats (5min)", value: "1" },
      { metric: "Error Events (1hour)", value: "2" },
      { metric: "Late Agents", value: "0" },
      { metric: "Lost Agents", value: "0" }
    ]
  }
} as const

type View = keyof typeof VIEWS

const ordered = async (view: View) => {
  const rows = await of(view)
  return view === "agent_health_summary"
    ? rows.toSorted((one, other) => String(one["agent_id"]).localeCompare(String(other["agent_id"])))
    : rows
}

describe.each(Object.keys(VIEWS) as ReadonlyArray<View>)("%s", (view) => {
  test("has the columns that its users know, and says what it is", async () => {
    const rows = await database.query<{ name: string; comment: string | null }>(
      `select attname as name, obj_description(attrelid) as comment
         from pg_attribute where attrelid = 'tidemark.${view}'::regclass and attnum > 0 order by attnum`
    )
    expect(rows.map(({ name }) => name).slice(0, VIEWS[view].columns.length)).toEqual(VIEWS[view].columns)
    expect(rows[0]!.comment).toMatch(/^[A-Z].*\.$/u)
  })

  test("shows what there is", async () => {
    expect(await ordered(view)).toMatchObject(VIEWS[view].shown)
  })
})

test("views and the library say the same", async () => {
  const health = Object.fromEntries(
    (await of("system_health")).map(({ metric, value }) => [metric, Number(value)])
  )
  const { agents, heartbeats } = await engine.statistics()
  expect(health).toMatchObject({
    "Total Agents": Object.values(agents).reduce((sum, one) => sum + one, 0),
    "Running Agents": agents["running"],
    "Recent Heartbeats (5min)": heartbeats
  })
  const recent = await engine.heartbeats.recent()
  expect((await of("recent_heartbeats")).map((row) => row["timestamp"])).toEqual(
    recent.map((one) => one.timestamp)
  )
  const summed = await engine.metrics.summary({ hours: 1 })
  expect(
    (await of("metrics_summary")).map((row) => ({
      agent: row["agent_id"],
      name: row["metric_name"],
      count: Number(row["sample_count"]),
      avg: Number(row["avg_value"]),
      min: Number(row["min_value"]),
      max: Number(row["max_value"])
    }))
  ).toEqual(summed.map(({ agent, name, count, avg, min, max }) => ({ agent, name, count, avg, min, max })))
})

test("views survive rebuilds, and show what was built", async () => {
  for (const name of ["agents", "heartbeats", "metrics", "vitals"]) await engine.rebuild(name)
  for (const view of Object.keys(VIEWS) as ReadonlyArray<View>)
    expect(await ordered(view)).toMatchObject(VIEWS[view].shown)
  await engine.agents.register({ agent: "e" })
  await until(async () => (await of("active_agents")).length === 3)
})

test("a reader may look at them", async () => {
  const rows = await database.query<{ may: boolean }>(
    `select bool_and(has_function_privilege('public', oid, 'execute')) as may from pg_proc
      where proname = 'system_health' and pronamespace = 'tidemark'::regnamespace`
  )
  expect(rows).toEqual([{ may: true }])
})
