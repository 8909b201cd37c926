import { isDeepStrictEqual } from "node:util"
import { beforeAll, describe, expect, test } from "vitest"
import type { EngineLink } from "../../src/engine/linking.ts"
import type { JsonObject } from "../../src/state.ts"
import { eventsOf, testLog, upTo } from "../log/test-log.ts"
import { linksQuiet } from "./quiet.ts"
import { until } from "../support/eventually.ts"

// States that share keys: what changes in one comes to the others, once, whatever the links look like.

const log = testLog()

let agents = 0

/** Agents of one test, each with a state. */
const made = async (count: number, shared: JsonObject = {}): Promise<ReadonlyArray<string>> => {
  const names = Array.from({ length: count }, () => `linked-${(agents += 1)}`)
  for (const name of names) await log.engine.state(name).update({ local: { name } })
  if (Object.keys(shared).length > 0) await log.engine.state(names[0]!).update({ shared })
  return names
}

const sharedOf = async (agent: string): Promise<JsonObject> =>
  (await log.engine.state(agent).read({ tiers: ["shared"] })).shared as JsonObject

const allHave = (names: ReadonlyArray<string>, wanted: JsonObject): Promise<unknown> =>
  until(
    async () => {
      const found = await Promise.all(names.map(sharedOf))
      return found.every((one) => isDeepStrictEqual(one, wanted))
    },
    { what: `${names.join(", ")} to have ${JSON.stringify(wanted)}` }
  )

/** Counts on what the agent has, also where others have counted meanwhile. */
const count = async (agent: string): Promise<void> => {
  const state = log.engine.state(agent)
  const { shared, token } = await state.read()
  await state.update({ shared: { count: Number(shared["count"] ?? 0) + 1 } }, { base: token })
}

beforeAll(() => log.engine.defineState({ rules: [{ path: "/shared/count", number: "counter" }] }))

/** Nothing is left to be brought. */
const quiet = (link: EngineLink): Promise<unknown> =>
  until(async () => (await link.work()).length === 0, { what: "the link to have nothing to bring" })

describe("a link", () => {
  test("brings what one has to others, at first and whenever it changes", async () => {
    const [from, ...to] = (await made(3, { plan: ["a"] })) as [string, ...Array<string>]
    await log.engine.link({ from, to, keys: ["/shared/plan"] })
    await allHave(to, { plan: ["a"] })
    await log.engine.state(from).update({ shared: { plan: ["a", "b"], other: 1 } })
    await allHave(to, { plan: ["a", "b"] })
  })

  test("of one way brings nothing back", async () => {
    const [from, to] = (await made(2, { plan: 1 })) as [string, string]
    const link = await log.engine.link({ from, to: [to], keys: ["/shared/**"] })
    await allHave([to], { plan: 1 })
    await log.engine.state(to).update({ shared: { own: 1 } })
    await log.engine.state(from).update({ shared: { plan: 2 } })
    await allHave([to], { own: 1, plan: 2 })
    await quiet(link)
    expect(await sharedOf(from)).toEqual({ plan: 2 })
  })

  test("of both ways does", async () => {
    const [from, to] = (await made(2, { plan: 1 })) as [string, string]
    await log.engine.link({ from, to: [to], keys: ["/shared/**"], both: true })
    await allHave([to], { plan: 1 })
    await log.engine.state(to).update({ shared: { own: 1 } })
    await allHave([from], { own: 1, plan: 1 })
  })

  test("of a group counts what each counts, once", async () => {
    const group = await made(4)
    const rules = [
      { path: "/shared/count", number: "counter" as const },
      { path: "/shared/list", array: "append" as const }
    ]
    const link = await log.engine.link({ group, keys: ["/shared/**"], rules })
    await Promise.all(group.map(count))
    await until(async () => (await Promise.all(group.map(sharedOf))).every(({ count }) => count === 4))
    await quiet(link)
    expect(await Promise.all(group.map(sharedOf))).toEqual(group.map(() => ({ count: 4 })))
    const events = await Promise.all(group.map((agent) => eventsOf(log.engine, `state-main@${agent}`)))
    // What began it, what it was made with and what it counts, and what comes of the three others.
    for (const one of events) expect(one.length).toBeLessThanOrEqual(3 + 3)
  })

  test("of several members goes on with others, and without those that left", async () => {
    const [one, two, three] = (await made(3, { plan: 1 })) as [string, string, string]
    const link = await log.engine.link({ group: [one, two], keys: ["/shared/**"] })
    await allHave([two], { plan: 1 })
    await link.change({ add: [three], reason: "it joined" })
    await allHave([three], { plan: 1 })
    await link.change({ remove: [two] })
    await log.engine.state(three).update({ shared: { plan: 2 } })
    await allHave([one], { plan: 2 })
    await quiet(link)
    expect(await sharedOf(two)).toEqual({ plan: 1 })
    expect(await log.engine.links.list({ agent: three })).toMatchObject([
      { link: link.link, status: "active", members: [{ agent: one }, { agent: three }] }
    ])
  })

  test("that is paused brings nothing, and catches up when it goes on", async () => {
    const [from, to, other] = (await made(3, { plan: 1 })) as [string, string, string]
    const link = await log.engine.link({ from, to: [to], keys: ["/shared/**"] })
    await allHave([to], { plan: 1 })
    await link.pause({ actor: "me" })
    await log.engine.state(from).update({ shared: { plan: 2 } })
    // Whoever comes later in the log is heard of later.
    const beside = await log.engine.link({ from, to: [other], keys: ["/shared/**"] })
    await allHave([other], { plan: 2 })
    expect(await sharedOf(to)).toEqual({ plan: 1 })
    expect(await link.work()).toMatchObject([{ state: "held", source: { agent: from } }])
    expect((await log.engine.syncQueue.status()).held).toBe(1)
    await link.resume()
    await allHave([to], { plan: 2 })
    await quiet(link)
    await quiet(beside)
  })

  test("that ended brings nothing any more", async () => {
    const [from, to, other] = (await made(3, { plan: 1 })) as [string, string, string]
    const link = await log.engine.link({ from, to: [to], keys: ["/shared/**"] })
    await allHave([to], { plan: 1 })
    await quiet(link)
    await link.end()
    await log.engine.state(from).update({ shared: { plan: 2 } })
    await log.engine.link({ from, to: [other], keys: ["/shared/**"] })
    await allHave([other], { plan: 2 })
    expect(await sharedOf(to)).toEqual({ plan: 1 })
    expect(await link.work()).toEqual([])
  })

  test("is gone on with by another engine where the one that made it has gone", async () => {
    const [from, to] = (await made(2, { plan: 1 })) as [string, string]
    const maker = await log.open()
    await maker.link({ from, to: [to], keys: ["/shared/**"] })
    await maker.close()
    await allHave([to], { plan: 1 })
    await log.engine.state(from).update({ shared: { plan: 2 } })
    await allHave([to], { plan: 2 })
  })

  test("in a ring with others neither echoes nor counts twice", async () => {
    const ring = await made(3)
    const rules = [{ path: "/shared/count", number: "counter" as const }]
    const links = await Promise.all(
      ring.map((from, at) =>
        log.engine.link({ from, to: [ring[(at + 1) % 3]!], keys: ["/shared/**"], rules })
      )
    )
    for (const agent of ring) await count(agent)
    await allHave(ring, { count: 3 })
    await linksQuiet(log.engine)
    expect(await Promise.all(ring.map(sharedOf))).toEqual(ring.map(() => ({ count: 3 })))
    const events = await Promise.all(
      [...ring, ...links.map(({ hub }) => hub)].map((agent) => eventsOf(log.engine, `state-main@${agent}`))
    )
    // Each change comes to each member and to each hub once, and at most once more what others know of it.
    for (const one of events) expect(one.length).toBeLessThanOrEqual(2 + 2 * 3 * 2)
  })
})

test("a link goes by the rules that are declared for its members", async () => {
  await log.engine.defineState({
    agentType: "counting",
    rules: [{ path: "/shared/typed", number: "counter" }]
  })
  const group = upTo(3).map((n) => `counting-${n}`)
  const states = group.map((agent) => log.engine.state(agent, { type: "counting" }))
  for (const state of states) await state.update({ shared: { typed: 1 } })
  await log.engine.link({ group, keys: ["/shared/typed"] })
  await allHave(group, { typed: 3 })
})

describe("conflicts of a link", () => {
  test("leave the key as it is on both sides, are told once, and hold up nothing else", async () => {
    const group = await made(2)
    const [one, two] = group as [string, string]
    await log.engine.state(one).update({ shared: { plan: "a" } }, { actor: "ann", reason: "an idea" })
    await log.engine.state(two).update({ shared: { plan: "b" } }, { actor: "bob" })
    const link = await log.engine.link({ group, keys: ["/shared/**"] })
    await log.engine.state(one).update({ shared: { other: 1 } })
    await until(async () => (await sharedOf(two))["other"] === 1)
    await quiet(link)
    expect([await sharedOf(one), await sharedOf(two)]).toEqual([
      { plan: "a", other: 1 },
      { plan: "b", other: 1 }
    ])
    const left = await log.engine.states.syncs({ agent: two, status: "conflicts" })
    expect(left).toMatchObject([{ source: two, target: link.hub, type: "link", keys: ["/shared/plan"] }])
    // Whoever gives in has it decided.
    await log.engine.state(two).update({ shared: { plan: "a" } })
    await linksQuiet(log.engine)
    await log.engine.state(one).update({ shared: { plan: "c" } })
    await allHave(group, { plan: "c", other: 1 })
  })

  test.each([
    ["source_wins", "a"],
    ["target_wins", "b"]
  ] as const)("of a source and a target are decided by %s, whichever way it goes", async (strategy, plan) => {
    const [from, to] = (await made(2)) as [string, string]
    await log.engine.state(from).update({ shared: { plan: "a" } })
    await log.engine.state(to).update({ shared: { plan: "b" } })
    await log.engine.link({ from, to: [to], both: true, keys: ["/shared/**"], strategy })
    await allHave([from, to], { plan })
  })

  test.each(["source_wins", "target_wins"] as const)(
    "of a group are decided by %s alike for all",
    async (strategy) => {
      const group = await made(3)
      for (const agent of group) await log.engine.state(agent).update({ shared: { plan: agent } })
      const link = await log.engine.link({ group, keys: ["/shared/**"], strategy })
      await until(
        async () => new Set((await Promise.all(group.map(sharedOf))).map(({ plan }) => plan)).size === 1
      )
      await quiet(link)
      expect((await log.engine.states.syncs({ agent: group[0]!, status: "conflicts" })).length).toBe(0)
    }
  )
})

describe("a member that cannot be written", () => {
  test("since it was stopped is waited for, and gets all when it registers again", async () => {
    const [from, to, other] = (await made(3, { plan: 1 })) as [string, string, string]
    await log.engine.agents.register({ agent: to })
    await log.engine.agents.stop({ agent: to })
    const link = await log.engine.link({ from, to: [to, other], keys: ["/shared/**"] })
    await allHave([other], { plan: 1 })
    await until(async () => (await link.work())[0]?.state === "parked")
    expect(await link.work({ state: "parked" })).toMatchObject([
      { target: { agent: to }, failure: { error: "AgentStopped" } }
    ])
    await log.engine.state(from).update({ shared: { plan: 2 } })
    await allHave([other], { plan: 2 })
    expect(await sharedOf(to)).toEqual({})
    await log.engine.agents.register({ agent: to })
    await allHave([to], { plan: 2 })
    await quiet(link)
  })

  test("since its branch was deleted is parked, and retried, dropped or taken up again", async () => {
    const [from, to] = (await made(2, { plan: 1 })) as [string, string]
    await log.engine.state(to).branch("side")
    const link = await log.engine.link({ from, to: [{ agent: to, branch: "side" }], keys: ["/shared/**"] })
    const side = log.engine.state(to).on("side")
    await until(async () => ((await side.read()).shared as JsonObject)["plan"] === 1)
    await quiet(link)
    await log.engine.state(to).deleteBranch("side")
    await log.engine.state(from).update({ shared: { plan: 2 } })
    const parked = () => link.work({ state: "parked" })
    await until(async () => (await parked()).length === 1)
    const [{ work, failure }] = (await parked()) as [Awaited<ReturnType<typeof parked>>[number]]
    expect(failure).toMatchObject({ error: "UnknownBranch" })
    expect((await log.engine.syncQueue.status()).parked).toBe(1)
    expect(await log.engine.syncQueue.retry(work)).toBe(1)
    await until(async () => (await parked()).length === 1)
    expect(await log.engine.syncQueue.drop(work)).toBe(1)
    expect(await link.work()).toEqual([])
    await log.engine.state(from).update({ shared: { plan: 3 } })
    await until(async () => (await parked()).length === 1)
    await log.engine.state(to).branch("side")
    await until(async () => ((await side.read()).shared as JsonObject)["plan"] === 3)
    await quiet(link)
  })

  test("nor read, since the source's branch was deleted: it is parked, and goes on with another of the name", async () => {
    const [from, to] = (await made(2)) as [string, string]
    await log.engine.state(from).branch("side")
    const side = log.engine.state(from).on("side")
    await side.update({ shared: { plan: 1 } })
    const link = await log.engine.link({
      from: { agent: from, branch: "side" },
      to: [to],
      keys: ["/shared/**"]
    })
    await allHave([to], { plan: 1 })
    await quiet(link)
    await log.engine.state(from).deleteBranch("side")
    await until(async () => (await link.work({ state: "parked" })).length === 1)
    expect(await sharedOf(to)).toEqual({ plan: 1 })
    await log.engine.state(from).branch("side")
    await side.update({ shared: { plan: 2 } })
    await until(async () => (await link.work()).length === 0)
  })
})

describe("a synchronisation that fails", () => {
  test("is tried again where that is wanted, until it can be done", async () => {
    const [from, to] = (await made(2, { plan: 1 })) as [string, string]
    await log.engine.agents.register({ agent: to })
    await log.engine.agents.stop({ agent: to })
    const once = await log.engine.sync({ from, to: [to], keys: ["/shared/**"] })
    expect(once.targets).toMatchObject([
      { status: "failed", error: { name: "AgentStopped" }, queued: undefined }
    ])
    const { targets } = await log.engine.sync({
      from,
      to: [to],
      keys: ["/shared/**"],
      retry: true,
      priority: "low"
    })
    const queued = targets[0]!.queued!
    const found = async () => (await log.engine.syncQueue.list()).find(({ work }) => work === queued)
    expect(await found()).toMatchObject({ link: null, priority: "low", failure: { error: "AgentStopped" } })
    await until(async () => (await found())?.state === "parked")
    await log.engine.agents.register({ agent: to })
    await log.engine.syncQueue.retry("all")
    await allHave([to], { plan: 1 })
    await until(async () => (await found()) === undefined)
  })

  test.each([
    ["by a function", { retry: true, strategy: () => undefined }, /outlives/],
    ["of which nothing is done", { retry: true, dryRun: true }, /dryRun/],
    ["in a hurry that there is not", { retry: true, priority: "now" as never }, /no priority/],
    ["in a hurry that nothing is tried again in", { priority: "high" as const }, /`retry`/]
  ])("is not tried again %s", async (_, options, problem) => {
    const [from, to] = (await made(2, { plan: 1 })) as [string, string]
    const refused = log.engine.sync({ from, to: [to], keys: ["/shared/**"], ...options })
    await expect(refused).rejects.toThrow(problem)
  })
})
