import { Effect, Stream } from "effect"
import { afterEach, describe, expect, test } from "vitest"
import { agentOf, foldHealth, type HealthRow } from "../../projections/vitals/fold.ts"
import { watchdogLook } from "../../projections/vitals/watchdog.ts"
import { builtIn } from "../../projections/index.ts"
import type { Event } from "../../src/log/event.ts"
import { withSchema } from "../../src/postgres/sql-file.ts"
import { readSql } from "../../src/projection/sql-source.ts"
import { type Process, scene } from "../projection/scene.ts"
import { until } from "../support/eventually.ts"
import { random, seedFor } from "../support/random.ts"

// Without an engine around them, there is no watchdog that looks by itself.
const { db, start } = scene()

const SHORT_MS = 100

const eventsIn = async (one: Process, category: string): Promise<ReadonlyArray<Event>> => [
  ...(await one.run(Stream.runCollect(one.log.replay({ categories: [category] }))))
]

const load = withSchema(readSql("#projections/vitals/load.sql"), "tidemark").replaceAll(
  ':"agent_health"',
  "tidemark.agent_health"
)

const rowOf = async (agent: string): Promise<HealthRow | undefined> => {
  const [row] = await db.query(load, [[agent]])
  return row as HealthRow | undefined
}

const due = async (position: number): Promise<ReadonlyArray<string>> => {
  const sql = withSchema(readSql("#projections/vitals/due.sql"), "tidemark")
  return (await db.query<{ agent: string }>(sql, [position, 100, "-infinity", ""])).map(({ agent }) => agent)
}

const beat = { type: "HeartbeatRecorded", data: {} }

test("the health of agents folds alike live, cut anywhere, rebuilt, and event by event in memory", async () => {
  const { between, chance, oneOf } = random(seedFor("health"))
  const one = await start()
  await one.project(builtIn.vitals)
  const agents = ["a", "b", "c", "d"]
  let last = 0
  const ofAgent = () =>
    oneOf([
      { type: "AgentRegistered", data: { state: oneOf(["running", "stopped"]) } },
      { type: "AgentRegistered", data: { state: "running", heartbeatIntervalMs: between(100, 100_000) } },
      { type: "AgentStateChanged", data: { state: oneOf(["busy", "stopped"]) } },
      { type: "AgentIntervalChanged", data: { heartbeatIntervalMs: between(100, 100_000) } },
      { type: "AgentStopped", data: {} },
      { type: "AgentRetired", data: {} }
    ])
  const verdict = () =>
    oneOf([
      {
        type: "AgentRanLate",
        data: { intervalMs: 1, heard: between(0, last + 2), lastBeatAt: null, missed: 2 }
      },
      {
        type: "AgentLost",
        data: { intervalMs: 1, heard: last, lastBeatAt: oneOf([null, "2026-01-31T12:00:00Z"]), missed: 3 }
      },
      { type: "AgentRecovered", data: { intervalMs: 1, heard: last, lastBeatAt: null, was: "late" } }
    ])
  const STEPS = 150
  for (let step = 0; step < STEPS; step++) {
    const agent = oneOf(agents)
    if (chance(0.6)) last = await one.emit(`heartbeat-${agent}`, beat, beat)
    else if (chance(0.5)) last = await one.emit(`health-${agent}`, verdict())
    else last = await one.emit(`agent-${agent}`, ofAgent(), ofAgent())
    // Batches are cut here.
    if (chance(0.5)) await one.reaches("vitals", last)
  }
  await one.reaches("vitals", last)
  const inMemory = new Map<string, HealthRow>()
  for (const event of await one.run(Stream.runCollect(one.log.replay()))) {
    const agent = agentOf(event)
    if (agent !== undefined) inMemory.set(agent, foldHealth(inMemory.get(agent), event))
  }
  for (const [agent, row] of inMemory) expect(await rowOf(agent)).toEqual(row)
  const counted = await db.query<{ health: string; agents: number }>(
    `select health, agents::integer, (select count(*)::integer from tidemark.agent_health one
       where one.health = counts.health and standing = 'watched') as found
     from tidemark.agent_health_counts counts`
  )
  expect(counted).toHaveLength(4)
  for (const { agents: said, ...row } of counted) expect(row).toMatchObject({ found: said })
  const { verified } = await one.rebuild(builtIn.vitals, { verify: true })
  for (const { different, onlyLive, onlyRebuilt } of verified!.tables)
    expect([different, onlyLive, onlyRebuilt]).toEqual([0, 0, 0])
})

describe("an agent is waited for", () => {
  const HOUR_MS = 3_600_000

  test.each([
    [
      "from its first beat on, where it promised none",
      [["agent", "AgentRegistered", { state: "running" }]],
      null
    ],
    [
      "from its registration on, where it promised some",
      [["agent", "AgentRegistered", { state: "running", heartbeatIntervalMs: HOUR_MS }]],
      2 * HOUR_MS
    ],
    ["for two of its intervals after a beat", [["heartbeat", "HeartbeatRecorded", {}]], 120_000],
    [
      "no more where it stopped, whatever it says then",
      [
        ["heartbeat", "HeartbeatRecorded", {}],
        ["agent", "AgentStopped", {}],
        ["heartbeat", "HeartbeatRecorded", {}]
      ],
      null
    ],
    [
      "from its next beat on where it is at work again",
      [
        ["heartbeat", "HeartbeatRecorded", {}],
        ["agent", "AgentStopped", {}],
        ["agent", "AgentStateChanged", { state: "busy" }]
      ],
      null
    ],
    [
      "no more where it is retired, even if somebody says that it is at work",
      [
        ["heartbeat", "HeartbeatRecorded", {}],
        ["agent", "AgentRetired", {}],
        ["agent", "AgentStateChanged", { state: "busy" }]
      ],
      null
    ],
    [
      "as one that has promised nothing, where it was registered anew after that",
      [
        ["agent", "AgentRegistered", { state: "running", heartbeatIntervalMs: HOUR_MS }],
        ["agent", "AgentRetired", {}],
        ["agent", "AgentRegistered", { state: "running" }],
        ["heartbeat", "HeartbeatRecorded", {}]
      ],
      120_000
    ]
  ] as const)("%s", async (_, events, afterMs) => {
    const one = await start()
    await one.project(builtIn.vitals)
    let last = 0
    for (const [category, type, data] of events) last = await one.emit(`${category}-x`, { type, data })
    await one.reaches("vitals", last)
    const { due_at: dueAt, heard_at: heardAt } = (await rowOf("x"))!
    expect(dueAt === null ? null : dueAt.getTime() - heardAt!.getTime()).toBe(afterMs)
  })
})

describe("the watchdog", () => {
  let looks: ReadonlyArray<() => Promise<void>> = []
  afterEach(() => {
    looks = []
  })

  const watched = async (dogs = 1) => {
    const one = await start()
    const health = await one.project(builtIn.vitals)
    const heartbeats = await one.project(builtIn.heartbeats)
    const made = await one.run(Effect.all(Array.from({ length: dogs }, () => watchdogLook)))
    looks = made.map((look) => () => one.run(look))
    // Who folds the read model is who watches.
    await until(() => !one.status("vitals").follows)
    return { one, health, heartbeats }
  }

  /** Lets all of them look until the log has so many of their events. */
  const verdicts = async (one: Process, count: number): Promise<ReadonlyArray<Event>> =>
    until(async () => {
      await Promise.all(looks.map((look) => look()))
      const events = await eventsIn(one, "health")
      return events.length >= count ? events : undefined
    })

  test("says of a silent agent that it is late, then lost, and that it recovered when it beats again", async () => {
    const { one, health, heartbeats } = await watched()
    await one.emit("agent-x", {
      type: "AgentRegistered",
      data: { state: "running", heartbeatIntervalMs: SHORT_MS }
    })
    await one.run(heartbeats.record({ agent: "x" }))
    const said = await verdicts(one, 2)
    expect(said.map(({ type }) => type)).toEqual(["AgentRanLate", "AgentLost"])
    const { lastBeatAt, heard } = said[0]!.data as { lastBeatAt: string; heard: number }
    const beats = await eventsIn(one, "heartbeat")
    expect([lastBeatAt, heard]).toEqual([beats[0]!.recordedAt.toISOString(), beats[0]!.position])
    expect(said.map(({ labels }) => labels)).toEqual([["health:late"], ["health:lost"]])
    for (const [nth, { data, recordedAt }] of said.entries()) {
      const silentMs = recordedAt.getTime() - beats[0]!.recordedAt.getTime()
      expect(silentMs).toBeGreaterThanOrEqual((nth + 2) * SHORT_MS)
      expect((data as { missed: number }).missed).toBeGreaterThanOrEqual(nth + 2)
    }
    await one.reaches("vitals", said[1]!.position)
    const lost = await one.run(heartbeats.health({ agent: "x" }))
    expect(lost).toMatchObject({
      health: "lost",
      healthy: false,
      since: said[1]!.recordedAt,
      intervalMs: SHORT_MS
    })
    expect(lost.missed).toBeGreaterThanOrEqual(3)
    expect(await one.run(health.overview())).toMatchObject({
      counts: { healthy: 0, late: 0, lost: 1, unknown: 0 },
      unwell: [{ agent: "x", health: "lost", since: said[1]!.recordedAt }],
      next: null
    })
    // Nothing more is said of it.
    expect((await rowOf("x"))!.due_at).toBeNull()
    await one.emit("agent-x", { type: "AgentIntervalChanged", data: { heartbeatIntervalMs: 600_000 } })
    await one.run(heartbeats.record({ agent: "x" }))
    const all = await verdicts(one, 3)
    expect(all.at(-1)).toMatchObject({
      type: "AgentRecovered",
      labels: ["health:healthy"],
      data: { was: "lost" }
    })
    await one.reaches("vitals", all.at(-1)!.position)
    expect(await one.run(heartbeats.health({ agent: "x" }))).toMatchObject({
      health: "healthy",
      healthy: true,
      missed: 0
    })
    expect(await one.run(health.overview())).toMatchObject({ counts: { healthy: 1, lost: 0 }, unwell: [] })
  })

  test("says each thing once, however many look at once", async () => {
    const DOGS = 4
    const AGENTS = 20
    const { one } = await watched(DOGS)
    for (let nth = 0; nth < AGENTS; nth++)
      await one.emit(`agent-${nth}`, {
        type: "AgentRegistered",
        data: { state: "running", heartbeatIntervalMs: SHORT_MS }
      })
    const said = await verdicts(one, 2 * AGENTS)
    expect(said).toHaveLength(2 * AGENTS)
    for (let nth = 0; nth < AGENTS; nth++) {
      const own = said.filter(({ stream }) => stream === `health-${nth}`)
      expect(own.map(({ type }) => type)).toEqual(["AgentRanLate", "AgentLost"])
    }
  })

  test("leaves out an agent of which the log has anything that is not folded yet", async () => {
    const { one } = await watched()
    const registered = { type: "AgentRegistered", data: { state: "running", heartbeatIntervalMs: SHORT_MS } }
    let folded = 0
    for (const agent of ["beats", "stops", "told", "silent"])
      folded = await one.emit(`agent-${agent}`, registered)
    const all = await until(async () => {
      const found = await due(folded)
      return found.length === 4 ? found : undefined
    })
    expect(all.toSorted()).toEqual(["beats", "silent", "stops", "told"])
    await one.emit("heartbeat-beats", beat)
    await one.emit("agent-stops", { type: "AgentStopped", data: {} })
    await one.emit("health-told", {
      type: "AgentRanLate",
      data: { intervalMs: SHORT_MS, heard: folded, lastBeatAt: null, missed: 2 }
    })
    expect(await due(folded)).toEqual(["silent"])
  })

  test("does not watch an agent that stopped", async () => {
    const { one } = await watched()
    const registered = { type: "AgentRegistered", data: { state: "running", heartbeatIntervalMs: SHORT_MS } }
    await one.emit("agent-gone", registered, { type: "AgentStopped", data: {} })
    await one.emit("agent-old", registered, { type: "AgentRetired", data: {} })
    await one.emit("agent-x", registered)
    const said = await verdicts(one, 2)
    expect(new Set(said.map(({ stream }) => stream))).toEqual(new Set(["health-x"]))
  })
})

test("an agent whose beats retention has dropped is what the watchdog said of it, where the log is folded anew", async () => {
  const one = await start()
  const health = await one.project(builtIn.vitals)
  const lastBeatAt = "2026-01-31T12:00:00.000Z"
  const judged = { intervalMs: 60_000, heard: 1, lastBeatAt, missed: 2 }
  await one.emit("health-x", { type: "AgentRanLate", data: judged }, { type: "AgentLost", data: judged })
  expect((await one.run(health.overview())).unwell).toMatchObject([
    { agent: "x", health: "lost", lastBeatAt: new Date(lastBeatAt) }
  ])
  expect((await rowOf("x"))!.due_at).toBeNull()
})

test("the overview gives those that are not well by id, page by page, and how many there are of each", async () => {
  const one = await start()
  const health = await one.project(builtIn.vitals)
  const judged = { intervalMs: 60_000, heard: 0, lastBeatAt: null, missed: 2 }
  let last = 0
  for (const agent of ["a", "b", "c", "d", "e"]) {
    await one.emit(`heartbeat-${agent}`, beat)
    if (agent === "e") continue
    const type = agent === "b" ? "AgentLost" : "AgentRanLate"
    last = await one.emit(`health-${agent}`, { type, data: judged })
  }
  await one.emit("agent-f", { type: "AgentRegistered", data: { state: "running" } })
  last = await one.emit("agent-g", { type: "AgentRegistered", data: { state: "stopped" } })
  await one.reaches("vitals", last)
  const first = await one.run(health.overview({ limit: 2 }))
  expect(first.counts).toEqual({ healthy: 1, late: 3, lost: 1, unknown: 1 })
  expect(first.unwell.map(({ agent }) => agent)).toEqual(["a", "b"])
  const rest = await one.run(health.overview({ limit: 5, after: first.next! }))
  expect([rest.unwell.map(({ agent }) => agent), rest.next]).toEqual([["c", "d"], null])
  const late = await one.run(health.overview({ health: "late" }))
  expect(late.unwell.map(({ agent }) => agent)).toEqual(["a", "c", "d"])
})
