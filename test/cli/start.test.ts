import { describe, expect, test } from "vitest"
import type { Summary } from "../../src/cli/start/summary.ts"
import { connected } from "../support/admin.ts"
import { testDatabase } from "../support/database.ts"
import { until } from "../support/eventually.ts"
import { isPlain, run, saysThat, tidemark } from "./tidemark.ts"

const database = testDatabase()

const summaryOf = (stdout: string): Summary => JSON.parse(stdout) as Summary

/** A log of a test's own: what is waited for is mostly the time that passes, so the tests wait together. */
const ownLog = async () => {
  const url = await database.fresh()
  const query = async <Row extends object>(sql: string): Promise<ReadonlyArray<Row>> =>
    connected(url, async (client) => (await client.query<Row>(sql)).rows)
  const countEvents = async (where = "true"): Promise<number> => {
    const [row] = await query<{ count: string }>(`select count(*) from tidemark.log_events where ${where}`)
    return Number(row!.count)
  }
  const begin = () => query(`select from tidemark.append_events('order-1', '[{"type": "Placed"}]')`)
  return { url, env: { DATABASE_URL: url }, query, begin, countEvents }
}

/** No machine is so busy that an alert comes between what a test looks at. */
const QUIET = ["--threshold", "cpu=1e9,load=1e9,memory=1e9,disk=1e9,loop_delay=1e9"]

describe.concurrent("tidemark start", { timeout: 60_000 }, () => {
  test("ends by itself with a summary whose numbers are those of the log", async () => {
    const { env, begin, countEvents } = await ownLog()
    await begin()
    const before = await countEvents()
    const { code, stdout, stderr } = await run(["start", "--seconds", "3", "--json"], { env })
    const summary = summaryOf(stdout)
    expect({ code, stderr }).toMatchObject({ code: 0, stderr: expect.stringContaining("PostgreSQL at") })
    expect(summary.emitted).toBe((await countEvents()) - before)
    expect(summary.delivered).toBe(summary.emitted)
    expect(summary.returned).toBe(summary.emitted)
    // Two agents come, beat and go, and each second there is a measurement of five metrics.
    expect(summary.emitted).toBeGreaterThanOrEqual(6 + 5)
    expect(summary.seconds).toBeGreaterThanOrEqual(3)
    const { p50, p99, max } = summary.latencyMs!
    expect([p50, p99, max]).toEqual([p50, p99, max].toSorted((a, b) => a - b))
    expect(p50).toBeGreaterThan(0)
  })

  test("fills the read models", async () => {
    const { env, query, countEvents } = await ownLog()
    const { stdout } = await run(["start", "--seconds", "2", "--json"], { env })
    const { projections, agents } = summaryOf(stdout)
    expect(projections.map(({ name, lag, isStopped }) => [name, lag, isStopped])).toEqual([
      ["agents", 0, false],
      ["alert_rules", 0, false],
      ["alerts", 0, false],
      ["communications", 0, false],
      ["conversations", 0, false],
      ["heartbeats", 0, false],
      ["help", 0, false],
      ["links", 0, false],
      ["metric_rollups", 0, false],
      ["metrics", 0, false],
      ["sessions", 0, false],
      ["states", 0, false],
      ["system_events", 0, false],
      ["system_state", 0, false],
      ["vitals", 0, false]
    ])
    const rows = await query("select agent_id, state from tidemark.agents order by agent_id")
    expect(rows).toEqual(agents.toSorted().map((id) => ({ agent_id: id, state: "stopped" })))
    const [counts] = await query(
      `select (select count(*)::int from tidemark.agent_heartbeats) as beats,
              (select count(*)::int from tidemark.performance_metrics) as metrics`
    )
    expect(counts).toEqual({
      beats: await countEvents("type = 'HeartbeatRecorded'"),
      metrics: await countEvents("type = 'MetricRecorded'")
    })
  })

  test("measures as often as it is configured to", async () => {
    const { env, query, countEvents } = await ownLog()
    await run(["start", "--seconds", "2", "--json"], { env: { ...env, TIDEMARK_MEASURE_MS: "100000" } })
    expect(await query("select config from tidemark.agents where config ? 'measures_every_ms'")).toEqual([
      { config: { measures_every_ms: 100_000 } }
    ])
    expect(await countEvents("type = 'MetricRecorded'")).toBe(0)
  })

  test("prints each event once, and no control codes, where there is no terminal", async () => {
    const { env, begin, query } = await ownLog()
    await begin()
    const { code, stdout } = await run(["start", "--seconds", "2"], { env })
    expect(code).toBe(0)
    expect(isPlain(stdout)).toBe(true)
    const [, from] = /continuing at position (\d+)/.exec(stdout)!
    const shown = [...stdout.matchAll(/^ +(\d+) +.+-/gm)].map((match) => Number(match[1]))
    const rows = await query<{ position: string }>(
      `select position from tidemark.log_events where position > ${Number(from) - 5} order by position`
    )
    expect(shown).toEqual(rows.map(({ position }) => Number(position)))
    expect(stdout).toMatch(/emitted +\d+ events/)
  })

  test("goes on where it stopped, as the same agents", async () => {
    const { env } = await ownLog()
    const first = summaryOf((await run(["start", "--seconds", "1", "--json"], { env })).stdout)
    const second = await run(["start", "--seconds", "1", "--json"], { env })
    expect(second.stderr).toContain(`continuing at position ${first.settled}`)
    expect(summaryOf(second.stdout)).toMatchObject({ from: first.settled, agents: first.agents })
  })

  test("shuts down cleanly at SIGINT: its agents say that they stop, and it ends with 0", async () => {
    const { env, query } = await ownLog()
    await using started = tidemark(["start", "--seconds", "60", ...QUIET], { env })
    await saysThat(started, /MetricRecorded/)
    started.signal("SIGINT")
    expect(await started.exited()).toEqual({ code: 0, signal: null })
    const last = await query<{ type: string }>(
      "select type from tidemark.log_events order by position desc limit 2"
    )
    expect(last).toEqual([{ type: "AgentStopped" }, { type: "AgentStopped" }])
    expect(started.stdout.items.join("\n")).toMatch(/delivered +\d+ events/)
  })

  test("takes two signals of one keypress, as npm passes them on, for one", async () => {
    const { env } = await ownLog()
    await using started = tidemark(["start"], { env })
    await saysThat(started, /MetricRecorded/)
    started.signal("SIGINT")
    started.signal("SIGINT")
    started.signal("SIGTERM")
    expect(await started.exited()).toEqual({ code: 0, signal: null })
  })

  test("ends at once at a second SIGINT", async () => {
    const { url, env } = await ownLog()
    await using started = tidemark(["start"], { env })
    await saysThat(started, /MetricRecorded/)
    await connected(url, async (client) => {
      // Nobody can append now, so that a clean end takes its time.
      await client.query("begin; lock table tidemark.events in exclusive mode")
      started.signal("SIGINT")
      await saysThat(started, /stopping/)
      let isOver = false
      const exited = started.exited().finally(() => (isOver = true))
      await until(() => {
        started.signal("SIGINT")
        return isOver
      })
      expect(await exited).toEqual({ code: 130, signal: null })
    })
  })

  test("two at once are agents of their own, and see each other's events", async () => {
    const { env } = await ownLog()
    await using first = tidemark(["start"], { env })
    await saysThat(first, /MetricRecorded/)
    await using second = tidemark(["start"], { env })
    await saysThat(second, /metric-host-\S+-2 +MetricRecorded/)
    await saysThat(first, /metric-host-\S+-2 +MetricRecorded/)
    await saysThat(second, /~.* metric-host-\S+ +MetricRecorded/)
    for (const each of [first, second]) {
      each.signal("SIGTERM")
      expect(await each.exited()).toEqual({ code: 0, signal: null })
    }
    expect(first.stdout.items.join("\n")).toMatch(/delivered +\d+ events, \d+ of other processes/)
  })

  test("alerts once when a threshold is crossed, and names the measurement as the cause", async () => {
    const { env, query, countEvents } = await ownLog()
    const crossed = "type = 'ThresholdCrossed' and data->>'metric' = 'memory'"
    const args = ["start", "--seconds", "3", "--threshold", "memory=0.01", "--json"]
    expect((await run(args, { env })).code).toBe(0)
    const alerts = await query<{ cause: string; agent: string }>(
      `select m.data->>'name' as cause, a.labels[1] as agent
         from tidemark.log_events a join tidemark.log_events m on m.id = (a.meta->>'causationId')::uuid
        where a.type = 'ThresholdCrossed' and a.data->>'metric' = 'memory'`
    )
    expect(alerts).toEqual([{ cause: "memory", agent: expect.stringMatching(/^agent:host-/) }])

    await run(args, { env })
    expect(await countEvents(crossed)).toBe(1)
  })

  test("fails when its database goes away for good, and says why", async () => {
    const { url, env } = await ownLog()
    await using started = tidemark(["start"], { env })
    await saysThat(started, /MetricRecorded/)
    const name = new URL(url).pathname.slice(1)
    await database.query(`drop database "${name}" with (force)`)
    started.signal("SIGINT")
    expect((await started.exited()).code).toBe(1)
    expect(started.stdout.items.join("\n")).toMatch(/could not be told in time|PostgreSQL/)
  })
})
