import { describe, expect, it } from "vitest"
import { builtIn } from "../../projections/index.ts"
import { scene } from "../projection/scene.ts"

const { db, start } = scene()

const NOON = new Date("2026-01-31T12:00:00Z")
const MINUTE_MS = 60_000
const ago = (minutes: number) => new Date(Date.now() - minutes * MINUTE_MS)

describe("agents", () => {
  it("are listed as they are now: all, in a state, or not stopped", async () => {
    const one = await start()
    const agents = await one.project(builtIn.agents)
    await one.run(agents.register({ agent: "a" }))
    await one.run(agents.register({ agent: "b", state: "idle" }))
    await one.run(agents.register({ agent: "c" }))
    await one.run(agents.updateState({ agent: "a", state: "busy" }))
    await one.run(agents.stop({ agent: "c" }))
    const list = async (input?: { state?: string; active?: boolean }) =>
      (await one.run(agents.list(input))).map(({ agent, state }) => `${agent} ${state}`)
    expect(await list()).toEqual(["a busy", "b idle", "c stopped"])
    expect(await list({ active: true })).toEqual(["a busy", "b idle"])
    expect(await list({ state: "idle" })).toEqual(["b idle"])
    expect(await one.run(agents.get({ agent: "nobody" }))).toBeNull()
  })

  it("keep when they were first known, when they started, and when they stopped", async () => {
    const one = await start()
    const agents = await one.project(builtIn.agents)
    await one.run(agents.register({ agent: "a", config: { model: "small" }, occurredAt: NOON }))
    const first = (await one.run(agents.get({ agent: "a" })))!
    expect(first).toMatchObject({
      startedAt: NOON,
      stoppedAt: null,
      occurredAt: NOON,
      config: { model: "small" },
      metadata: null
    })
    expect(first.createdAt).toEqual(first.recordedAt)

    await one.run(agents.stop({ agent: "a", reason: "night", occurredAt: "2026-01-31T22:00:00+01:00" }))
    const stopped = (await one.run(agents.get({ agent: "a" })))!
    expect(stopped).toMatchObject({
      state: "stopped",
      startedAt: NOON,
      stoppedAt: new Date("2026-01-31T21:00:00Z"),
      createdAt: first.createdAt
    })

    await one.run(agents.register({ agent: "a", metadata: { host: "h" } }))
    const again = (await one.run(agents.get({ agent: "a" })))!
    expect(again).toMatchObject({
      state: "running",
      stoppedAt: null,
      occurredAt: null,
      config: { model: "small" },
      metadata: { host: "h" },
      createdAt: first.createdAt
    })
    expect(again.startedAt).toEqual(again.recordedAt)
    expect(again.updatedAt).toEqual(again.recordedAt)
  })

  it("take no time from data that says nonsense, as SQL may write it", async () => {
    const one = await start()
    const agents = await one.project(builtIn.agents)
    await db.query(
      `select tidemark.append_events('agent-sql', '[{"type":"AgentRegistered","data":{"state":"running","occurredAt":"now"}}]')`
    )
    const [row] = await db.query<{ position: number }>(
      "select max(position)::integer as position from tidemark.events"
    )
    await one.reaches("agents", row!.position)
    expect(await one.run(agents.get({ agent: "sql" }))).toMatchObject({ state: "running", occurredAt: null })
  })
})

describe("heartbeats", () => {
  it("are telemetry, numbered by position, newest first", async () => {
    const one = await start()
    const heartbeats = await one.project(builtIn.heartbeats)
    const first = await one.run(heartbeats.record({ agent: "a", occurredAt: ago(3), metrics: { cpu: 0.5 } }))
    const second = await one.run(heartbeats.record({ agent: "b", state: "busy", errorCount: 2 }))
    await one.run(heartbeats.record({ agent: "a", occurredAt: ago(20) }))
    expect(await one.run(heartbeats.recent())).toMatchObject([
      { id: second.position, agent: "b", state: "busy", errorCount: 2, metrics: null, occurredAt: null },
      { id: first.position, agent: "a", state: null, errorCount: 0, metrics: { cpu: 0.5 } }
    ])
    expect(await one.run(heartbeats.recent({ agent: "a", minutes: 30 }))).toHaveLength(2)
    expect(await one.run(heartbeats.recent({ minutes: 30, limit: 1 }))).toHaveLength(1)
    expect(await db.query("select count(*)::integer from tidemark.telemetry")).toEqual([{ count: 3 }])
  })

  it("tell who beat in some minutes, and since when, whatever its interval", async () => {
    const one = await start()
    await one.project(builtIn.vitals)
    const heartbeats = await one.project(builtIn.heartbeats)
    const beat = (agent: string, minutes: number) => {
      const occurredAt = ago(minutes)
      return one.run(heartbeats.record({ agent, occurredAt })).then(() => occurredAt)
    }
    await beat("well", 40)
    const began = await beat("well", 7)
    await beat("well", 4)
    const last = await beat("well", 1)
    expect(await one.run(heartbeats.health({ agent: "well", minutes: 5 }))).toMatchObject({
      agent: "well",
      healthy: true,
      since: began,
      lastBeatAt: last
    })
    const silent = await beat("silent", 12)
    expect(await one.run(heartbeats.health({ agent: "silent", minutes: 5 }))).toMatchObject({
      healthy: false,
      since: new Date(silent.getTime() + 5 * MINUTE_MS),
      lastBeatAt: silent
    })
    expect(await one.run(heartbeats.health({ agent: "silent", minutes: 15 }))).toMatchObject({
      healthy: true,
      since: silent
    })
    expect(await one.run(heartbeats.health({ agent: "never", minutes: 5 }))).toEqual({
      agent: "never",
      health: "unknown",
      healthy: false,
      since: null,
      missed: 0,
      intervalMs: 60_000,
      lastBeatAt: null,
      state: null,
      errorCount: null
    })
  })
})

describe("metrics", () => {
  it("are recorded one by one or several at once, all or none", async () => {
    const one = await start()
    const metrics = await one.project(builtIn.metrics)
    await one.run(
      metrics.record({
        agent: "a",
        name: "cpu",
        value: 0.5,
        unit: "%",
        metadata: { core: 1 },
        occurredAt: ago(1)
      })
    )
    const { position, token } = await one.run(
      metrics.record([
        { agent: "a", name: "cpu", value: 1.5 },
        { agent: "b", name: "cpu", value: 4 },
        { agent: "a", name: "rss", value: 1e12 }
      ])
    )
    const all = await one.run(metrics.list({}, { after: token }))
    expect(Math.max(...all.map(({ id }) => id))).toBe(position)
    expect(all.map(({ agent, name, value }) => `${agent} ${name} ${value}`).toSorted()).toEqual([
      "a cpu 0.5",
      "a cpu 1.5",
      "a rss 1000000000000",
      "b cpu 4"
    ])
    expect((await one.run(metrics.list({ agent: "a", name: "cpu" }))).at(-1)).toMatchObject({
      unit: "%",
      metadata: { core: 1 }
    })
  })
})
