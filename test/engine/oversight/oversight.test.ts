import { afterAll, beforeAll, describe, expect, test } from "vitest"
import { type Engine, InvalidArgument, open } from "../../../src/index.ts"
import { testDatabase } from "../../support/database.ts"
import { until } from "../../support/eventually.ts"
import { startProxy } from "../../support/proxy.ts"

const database = testDatabase()
let engine: Engine

beforeAll(async () => {
  engine = await open({ database: database.url, logger: false })
})

afterAll(() => engine.close())

const well = () => until(async () => (await engine.health()).status === "healthy")

/** Everything is folded that was written. */
const folded = () =>
  until(async () => (await engine.statistics()).readModels.every(({ behind }) => behind === 0))

describe("health", () => {
  test("is good where all is well, and says what was looked at", async () => {
    await well()
    const { checks, at } = await engine.health()
    expect(checks.map(({ state }) => state)).toEqual(checks.map(() => "ok"))
    expect(checks.find(({ name }) => name === "server")!.found).toMatch(/^answers in \d+\.\d ms$/u)
    expect(Math.abs(at.getTime() - Date.now())).toBeLessThan(60_000)
  })

  test("is worse for an hour where something critical was logged", async () => {
    await engine.systemEvents.log({ type: "meltdown", severity: "CRITICAL" })
    const long = new Date(Date.now() - 3_700_000).toISOString()
    await engine.systemEvents.log({ type: "meltdown", severity: "CRITICAL", occurredAt: long })
    await folded()
    const { status, checks } = await engine.health()
    expect(status).toBe("degraded")
    expect(checks.filter(({ state }) => state !== "ok")).toMatchObject([
      { name: "system events", found: "1 critical event in the last hour" }
    ])
  })

  test.each(["silent", "gone"] as const)("is told also where the server is %s", async (how) => {
    await using proxy = await startProxy(database.url)
    await using other = await open({ database: proxy.url, wake: database.url, logger: false })
    if (how === "silent") proxy.blackHole()
    else {
      proxy.refuse()
      proxy.cut()
    }
    const { status, checks } = await other.health()
    expect(status).toBe("unhealthy")
    expect(checks).toMatchObject([{ name: "server", state: "failing" }])
    expect(checks[0]!.found).toMatch(/./u)
    await proxy.heal()
    proxy.cut()
    await until(async () => (await other.health()).checks[0]!.state === "ok")
  })
})

describe("statistics", () => {
  test("count what the read models hold", async () => {
    await engine.agents.register({ agent: "billing-7" })
    await engine.agents.register({ agent: "billing-8" })
    await engine.agents.updateState({ agent: "billing-8", state: "paused" })
    await engine.heartbeats.record({ agent: "billing-7" })
    const long = new Date(Date.now() - 3_600_000).toISOString()
    await engine.heartbeats.record({ agent: "billing-7", occurredAt: long })
    await engine.metrics.record({ agent: "billing-7", name: "cpu", value: 1 })
    await engine.help.ask({ user: "ada", content: "How?", request: "how" })
    await engine.help.ask({ user: "ada", content: "Why?", request: "why" })
    await engine.help.setStatus({ request: "why", status: "in_progress" })
    await engine.sessions.create({ user: "ada" })
    await engine.sessions.create({ user: "bob", session: "bobs" })
    await engine.sessions.end({ session: "bobs" })
    const { message } = await engine.communications.send({ from: "billing-7", to: "billing-8", content: 1 })
    await engine.communications.send({ from: "billing-7", to: "billing-8", content: 2 })
    await engine.communications.acknowledge({ agent: "billing-8", message })
    await engine.conversations.record({ prompt: "?", tokens: 7, cost: "0.07" })
    await engine.conversations.record({ prompt: "!", cost: "0.005" })
    await engine.cache.set("k", 1)
    await engine.cache.get("k")
    await folded()
    const statistics = await engine.statistics()
    expect(statistics).toMatchObject({
      health: { healthy: 1, late: 0, lost: 0 },
      heartbeats: 1,
      metrics: 1,
      systemEvents: { DEBUG: 0, INFO: 0, WARNING: 0, ERROR: 0, CRITICAL: 2 },
      help: { pending: 1, in_progress: 1, answered: 0, closed: 0 },
      sessions: 1,
      unacknowledged: 1,
      conversations: { exchanges: 2, tokens: 7, cost: "0.075" },
      cache: { entries: 1, hits: 1, misses: 0 }
    })
    expect(Object.values(statistics.agents).reduce((sum, agents) => sum + agents, 0)).toBe(2)
    expect(statistics.agents["paused"]).toBe(1)
    expect(statistics.log.head).toBeGreaterThanOrEqual(statistics.log.settled)
    expect(statistics.indicators.map(({ name }) => name)).toContain("lock contention")
  })

  test("know the connections of the engine, and how the server answers on them", async () => {
    const { pool, server } = await engine.statistics()
    expect(pool.size).toBe(10)
    expect(pool.open).toBeGreaterThan(0)
    expect(pool.idle).toBeLessThanOrEqual(pool.open)
    expect(pool.answers.statements).toBeGreaterThan(20)
    expect(pool.answers.p50Ms).toBeGreaterThan(0)
    expect(pool.answers.p99Ms).toBeGreaterThanOrEqual(pool.answers.p95Ms!)
    expect(server.connections).toBeGreaterThanOrEqual(pool.open)
    const [limit] = await database.query<{ most: number }>(
      "select current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int as most"
    )
    expect(server.maxConnections).toBe(limit!.most)
  })

  test("count statements that fail, and connections that are in use", async () => {
    const before = (await engine.statistics()).pool.answers.failed
    await expect(engine.transaction((tx) => tx.query("select 1/0"))).rejects.toThrow()
    expect((await engine.statistics()).pool.answers.failed).toBe(before + 1)
    const used = await engine.transaction(async () => {
      const { pool } = await engine.statistics()
      return pool.open - pool.idle
    })
    expect(used).toBeGreaterThanOrEqual(1)
  })

  test("see statements that wait for a lock", async () => {
    await database.query("create table if not exists contended (id int)")
    const client = await database.pool.connect()
    try {
      await client.query("begin; lock table contended")
      const waiting = engine.transaction((tx) => tx.query("select * from contended"))
      await until(async () => (await engine.statistics()).server.waitingForLocks === 1)
      const { indicators } = await engine.statistics()
      expect(indicators.find(({ name }) => name === "lock contention")).toMatchObject({ isMet: false })
      await client.query("commit")
      await waiting
    } finally {
      client.release(true)
    }
  })

  test("tell how many transactions there were a second since the last look", async () => {
    await until(async () => {
      await engine.emit("busy-1", { type: "Worked" })
      const { transactionsPerSecond } = (await engine.statistics()).server
      return transactionsPerSecond !== undefined && transactionsPerSecond > 0
    })
  })
})

describe("context", () => {
  test("has what somebody new to the fleet should know, as data and as text", async () => {
    await engine.systemState.set({ key: "mode", value: { calm: true }, by: "ada" })
    await engine.systemEvents.log({
      type: "disk_full",
      severity: "ERROR",
      agent: "billing-7",
      data: { free: 0 }
    })
    await engine.systemEvents.log({ type: "chatter", severity: "INFO" })
    await folded()
    const context = await engine.context()
    expect(context.health).toBe("degraded")
    expect(context.complaints).toMatchObject([{ name: "system events" }])
    expect(context.troubles.map(({ type }) => type)).toEqual(["disk_full", "meltdown", "meltdown"])
    expect(context.requests).toMatchObject([
      { request: "why", status: "in_progress", user: "ada" },
      { request: "how", status: "pending", content: "How?" }
    ])
    expect(context.shared).toMatchObject([{ key: "mode", value: { calm: true }, updatedBy: "ada" }])
    for (const said of [
      "degraded",
      "1 critical event",
      "disk_full of billing-7",
      "why (",
      'mode = {"calm":true}'
    ])
      expect(context.text).toContain(said)
    expect((await engine.context({ maxCharacters: 500 })).text.length).toBeLessThanOrEqual(500)
  })

  test.each([499, 1_000_001, 600.5, Number.NaN])("is not %d characters long", async (maxCharacters) => {
    await expect(engine.context({ maxCharacters })).rejects.toThrow(InvalidArgument)
  })
})
