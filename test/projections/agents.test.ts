import { describe, expect, test } from "vitest"
import { NotAllowed } from "../../src/errors.ts"
import type { Engine } from "../../src/index.ts"
import { eventsOf, testLog } from "../log/test-log.ts"
import { random, seedFor } from "../support/random.ts"

const log = testLog()

let made = 0
const fresh = (name: string): string => `${name}-${(made += 1)}`

const typesOf = async (agent: string) =>
  (await eventsOf(log.engine, `agent-${agent}`)).map(({ type }) => type)

describe("an agent", () => {
  test("says of itself what it is, and what is another thing later is an event each", async () => {
    const { agents } = log.engine
    const agent = fresh("a")
    await agents.register({
      agent,
      name: "Ada",
      type: "planner",
      capabilities: ["plan", "talk", "plan"],
      config: { model: "small" },
      metadata: { host: "h" },
      heartbeatIntervalMs: 30_000
    })
    expect(await agents.get({ agent })).toMatchObject({
      name: "Ada",
      type: "planner",
      capabilities: ["plan", "talk"],
      config: { model: "small" },
      metadata: { host: "h" },
      heartbeatIntervalMs: 30_000,
      state: "running",
      retiredAt: null
    })
    await agents.update({
      agent,
      name: "Bea",
      type: "biller",
      capabilities: [],
      config: {},
      metadata: { host: "i" },
      heartbeatIntervalMs: 100,
      occurredAt: "2026-01-31T12:00:00Z"
    })
    expect((await typesOf(agent)).slice(1).toSorted()).toEqual([
      "AgentCapabilitiesChanged",
      "AgentConfigChanged",
      "AgentIntervalChanged",
      "AgentMetadataChanged",
      "AgentRenamed",
      "AgentTypeChanged"
    ])
    expect(await agents.get({ agent })).toMatchObject({
      name: "Bea",
      type: "biller",
      capabilities: [],
      config: {},
      metadata: { host: "i" },
      heartbeatIntervalMs: 100,
      occurredAt: new Date("2026-01-31T12:00:00Z")
    })
    await agents.updateState({ agent, state: "busy" })
    expect(await agents.get({ agent })).toMatchObject({ state: "busy", name: "Bea", metadata: { host: "i" } })
    await agents.register({ agent, name: "Cy" })
    expect(await agents.get({ agent })).toMatchObject({ state: "running", name: "Cy", type: "biller" })
  })

  test("that is retired takes no more commands, in the list it stays, and it begins anew where it is registered", async () => {
    const { agents } = log.engine
    const agent = fresh("old")
    await agents.register({
      agent,
      type: "t",
      capabilities: ["c"],
      config: { a: 1 },
      heartbeatIntervalMs: 500
    })
    await agents.stop({ agent })
    const { stoppedAt } = (await agents.get({ agent }))!
    await agents.retire({ agent, reason: "replaced" })
    expect(await agents.get({ agent })).toMatchObject({ state: "retired", stoppedAt, type: "t" })
    const commands = [
      () => agents.update({ agent, config: {} }),
      () => agents.updateState({ agent, state: "busy" }),
      () => agents.stop({ agent }),
      () => agents.retire({ agent })
    ]
    for (const command of commands) {
      const refused = await command().catch((error: unknown) => error)
      expect(refused).toBeInstanceOf(NotAllowed)
      expect(refused).toMatchObject({ status: "retired", allowed: ["agents.register"] })
      expect((refused as NotAllowed).message).toContain(agent)
    }
    expect(await agents.stopped({ agents: [agent, "nobody"] })).toEqual([agent])
    expect((await agents.list({ state: "retired" })).map((one) => one.agent)).toContain(agent)
    expect((await agents.active()).map((one) => one.agent)).not.toContain(agent)

    await agents.register({ agent, name: "again" })
    expect(await agents.get({ agent })).toMatchObject({
      state: "running",
      name: "again",
      stoppedAt: null,
      retiredAt: null,
      type: null,
      capabilities: [],
      config: null,
      heartbeatIntervalMs: null
    })
    await agents.updateState({ agent, state: "busy" })
    expect(await agents.get({ agent })).toMatchObject({ state: "busy" })
  })

  test("that was never registered takes commands, and is known from then on", async () => {
    const { agents } = log.engine
    const agent = fresh("new")
    await agents.updateState({ agent, state: "idle" })
    expect(await agents.get({ agent })).toMatchObject({ state: "idle", startedAt: null })
  })

  test("is retired by one of all engines that try at once, and takes nothing after that from any", async () => {
    const engines: ReadonlyArray<Engine> = [log.engine, await log.open(), await log.open()]
    const agent = fresh("shared")
    await log.engine.agents.register({ agent })
    const tries = engines.flatMap((engine) => [
      engine.agents.retire({ agent }),
      engine.agents.updateState({ agent, state: "busy" }),
      engine.agents.update({ agent, metadata: {} })
    ])
    const outcomes = await Promise.allSettled(tries)
    for (const one of outcomes) if (one.status === "rejected") expect(one.reason).toBeInstanceOf(NotAllowed)
    const types = await typesOf(agent)
    expect(types.filter((type) => type === "AgentRetired")).toHaveLength(1)
    expect(types.at(-1)).toBe("AgentRetired")
    expect(outcomes.filter(({ status }) => status === "fulfilled")).toHaveLength(types.length - 1)
  })
})

test("agents are chosen by state, type and capability, page by page", async () => {
  const { agents } = log.engine
  const prefix = fresh("list")
  const type = `${prefix}-type`
  const names = ["a", "b", "c", "d"].map((name) => `${prefix}-${name}`)
  await agents.register({ agent: names[0]!, type, capabilities: ["x", `${prefix}-y`] })
  await agents.register({ agent: names[1]!, type, capabilities: ["x"], state: "idle" })
  await agents.register({ agent: names[2]!, type: `${prefix}-other`, capabilities: [`${prefix}-y`] })
  await agents.register({ agent: names[3]!, type })
  await agents.stop({ agent: names[3]! })
  const listed = async (choice: Parameters<typeof agents.list>[0]) =>
    (await agents.list(choice)).map(({ agent }) => names.indexOf(agent))
  expect(await listed({ type })).toEqual([0, 1, 3])
  expect(await listed({ type, active: true })).toEqual([0, 1])
  expect(await listed({ type, state: "idle" })).toEqual([1])
  expect(await listed({ capability: `${prefix}-y` })).toEqual([0, 2])
  expect(await listed({ type, capability: "x" })).toEqual([0, 1])
  expect(await listed({ type, capability: "no such" })).toEqual([])
  expect(await listed({ type, limit: 2 })).toEqual([0, 1])
  expect(await listed({ type, limit: 2, after: names[1]! })).toEqual([3])
  expect((await agents.active({ type, limit: 1 })).map(({ agent }) => agent)).toEqual([names[0]])
})

test("one is told with its status: its health is apart from its state", async () => {
  const { agents, heartbeats } = log.engine
  const agent = fresh("status")
  expect(await agents.status({ agent })).toBeNull()
  await agents.register({ agent, state: "busy", heartbeatIntervalMs: 600_000 })
  expect(await agents.status({ agent })).toMatchObject({
    state: "busy",
    health: "unknown",
    intervalMs: 600_000,
    missed: 0,
    lastBeatAt: null
  })
  await heartbeats.record({ agent, state: "failing" })
  const beaten = (await agents.status({ agent }))!
  expect(beaten).toMatchObject({ state: "busy", health: "healthy", missed: 0 })
  expect(beaten.healthSince).toEqual(beaten.lastBeatAt)
})

test("whatever is in the streams of agents folds alike live, cut anywhere, and rebuilt, and as the commands see it", async () => {
  const { chance, oneOf } = random(seedFor("agents"))
  const { engine } = log
  const agents = [fresh("any"), fresh("any"), fresh("any")]
  const event = () =>
    oneOf([
      { type: "AgentRegistered", data: { state: oneOf(["running", "stopped"]), name: oneOf(["a", "b"]) } },
      { type: "AgentStateChanged", data: { state: oneOf(["busy", "stopped"]) } },
      { type: "AgentCapabilitiesChanged", data: { capabilities: [oneOf(["x", "y"])] } },
      { type: "AgentConfigChanged", data: { config: { n: oneOf([1, 2]) } } },
      { type: "AgentStopped", data: { occurredAt: "2026-01-31T12:00:00Z" } },
      { type: "AgentRetired", data: {} },
      { type: "SomethingElse", data: {} }
    ])
  const STEPS = 60
  for (let step = 0; step < STEPS; step++) {
    await engine.emit(`agent-${oneOf(agents)}`, [event(), event()])
    // Waits until it is folded, so that batches are cut here.
    if (chance(0.4)) await engine.agents.list()
    // What the commands allow is what the log says, folded or not.
    if (chance(0.2)) {
      const agent = oneOf(agents)
      const allowed = await engine.agents.update({ agent, metadata: { step } }).then(
        () => true,
        () => false
      )
      const row = await engine.agents.get({ agent })
      expect([step, allowed]).toEqual([step, row?.retiredAt === null])
    }
  }
  const { verified } = await engine.rebuild("agents", { verify: true })
  const [table] = verified!.tables
  expect([table!.different, table!.onlyLive, table!.onlyRebuilt]).toEqual([0, 0, 0])
})
