import { Schema } from "effect"
import { describe, expect, test } from "vitest"
import type { JsonObject } from "../../src/state.ts"
import { testLog, upTo } from "../log/test-log.ts"
import { until } from "../support/eventually.ts"
import { linksQuiet } from "./quiet.ts"

// What links do where members declare something, where engines come and go, and where somebody takes their subscription away.

const log = testLog()

let agents = 0

const made = async (count: number, type?: string): Promise<ReadonlyArray<string>> => {
  const names = upTo(count).map(() => `bad-day-${(agents += 1)}`)
  for (const name of names)
    await log.engine.state(name, type === undefined ? {} : { type }).update({ local: { name } })
  return names
}

const sharedOf = async (agent: string): Promise<JsonObject> =>
  (await log.engine.state(agent).read({ tiers: ["shared"] })).shared as JsonObject

const set = (agent: string, shared: JsonObject) => log.engine.state(agent).update({ shared })

const valueOf = async (agent: string, key: string) => (await sharedOf(agent))[key]

describe("what members declare", () => {
  test("and would not be kept is told in the inbox, since the hub declares nothing", async () => {
    await log.engine.defineState({
      agentType: "small",
      tiers: { shared: Schema.Struct({ n: Schema.optionalKey(Schema.Int.check(Schema.isLessThan(6))) }) }
    })
    const [large] = (await made(1)) as [string]
    const [small] = (await made(1, "small")) as [string]
    const link = await log.engine.link({ group: [large, small], keys: ["/shared/**"] })
    await set(large, { n: 99 })
    await until(async () => (await log.engine.conflicts.list({ agent: small, status: "open" })).length === 1)
    await linksQuiet(log.engine)
    expect(await log.engine.conflicts.list({ agent: small })).toMatchObject([
      { source: link.hub, target: small, path: "/shared" }
    ])
    expect(await sharedOf(small)).toEqual({})
    await set(large, { n: 5 })
    await until(async () => (await valueOf(small, "n")) === 5)
  })

  test("of who wins brings them to one, or leaves it to the inbox", async () => {
    await log.engine.defineState({
      agentType: "stubborn",
      rules: [{ path: "/shared/mode", strategy: "target_wins" }]
    })
    const group = await made(2, "stubborn")
    const link = await log.engine.link({ group, keys: ["/shared/**"] })
    await link.pause()
    for (const agent of group) await set(agent, { mode: agent })
    await link.resume()
    await linksQuiet(log.engine)
    const [one, other] = await Promise.all(group.map((agent) => valueOf(agent, "mode")))
    const open = await log.engine.conflicts.list({ agent: group[0]!, status: "open" })
    const others = await log.engine.conflicts.list({ agent: group[1]!, status: "open" })
    expect(one === other || open.length + others.length > 0).toBe(true)
  })
})

test.each([
  ["source_wins", "a"],
  ["target_wins", "b"]
] as const)(
  "a rule of a link by which %s means its source, whichever way it goes",
  async (strategy, plan) => {
    const [from, to] = (await made(2)) as [string, string]
    await set(from, { plan: "a" })
    await set(to, { plan: "b" })
    const rules = [{ path: "/shared/plan", strategy }]
    await log.engine.link({ from, to: [to], both: true, keys: ["/shared/**"], rules })
    for (const agent of [from, to]) await until(async () => (await valueOf(agent, "plan")) === plan)
  }
)

test("an agent that registers again in another process gets what it has missed", async () => {
  const [from, to] = (await made(2)) as [string, string]
  const elsewhere = await log.open()
  await log.engine.link({ from, to: [to], keys: ["/shared/**"] })
  for (const n of upTo(8)) {
    await elsewhere.agents.register({ agent: to })
    await elsewhere.agents.stop({ agent: to })
    await until(async () => (await log.engine.agents.get({ agent: to }))?.state === "stopped")
    await set(from, { n })
    await until(async () => (await log.engine.syncQueue.status()).parked === 1)
    await elsewhere.agents.register({ agent: to })
    await until(async () => (await valueOf(to, "n")) === n)
  }
})

test("a subscription that somebody deletes is made anew, and nothing is missed", async () => {
  const [from, to] = (await made(2)) as [string, string]
  await log.engine.link({ from, to: [to], keys: ["/shared/**"] })
  await set(from, { n: 1 })
  await until(async () => (await valueOf(to, "n")) === 1)
  await linksQuiet(log.engine)
  await log.engine.subscription("tidemark.links").delete()
  await set(from, { n: 2 })
  await until(async () => (await valueOf(to, "n")) === 2)
})

test("a member that is removed has nothing in the queue any more", async () => {
  const [from, to, other] = (await made(3)) as [string, string, string]
  await log.engine.agents.register({ agent: to })
  await log.engine.agents.stop({ agent: to })
  const link = await log.engine.link({ from, to: [to, other], keys: ["/shared/**"] })
  await set(from, { n: 1 })
  await until(async () => (await link.work({ state: "parked" })).length === 1)
  await link.change({ remove: [to] })
  await until(async () => (await link.work()).length === 0)
})

test("an engine that closes leaves what it has taken on to others at once", async () => {
  const group = await made(30)
  const closing = await log.open()
  const link = await closing.link({ group, keys: ["/shared/**"] })
  await Promise.all(group.map((agent, n) => set(agent, { [`k${n}`]: n })))
  await closing.close()
  await until(async () => (await log.engine.links.of(link.link).work()).length === 0)
  await linksQuiet(log.engine)
  for (const agent of group) expect(Object.keys(await sharedOf(agent)).length).toBe(30)
})

describe("what was put into the queue before a link changed", () => {
  /** As if whoever put it there had not heard of that yet. */
  const putLate = (link: string, source: string, target: string) =>
    log.db.query(
      "insert into tidemark.sync_work (link, source, target, priority) values ($1, $2, $3, 1) on conflict (link, source, target) where link is not null do update set state = 'waiting', version = tidemark.sync_work.version + 1",
      [link, `state-main@${source}`, `state-main@${target}`]
    )

  test("is held where the link is paused", async () => {
    const [one, two] = (await made(2)) as [string, string]
    const link = await log.engine.link({ group: [one, two], keys: ["/shared/**"] })
    await linksQuiet(log.engine)
    await link.pause()
    await set(one, { n: 1 })
    await until(async () => (await link.work({ state: "held" })).length === 1)
    await putLate(link.link, one, link.hub)
    await until(async () => (await link.work({ state: "held" })).length === 1)
    expect(await sharedOf(link.hub)).toEqual({})
    await link.resume()
    await until(async () => (await valueOf(two, "n")) === 1)
  })

  test("is not brought to who takes nothing, nor from who gives nothing", async () => {
    const [from, to] = (await made(2)) as [string, string]
    const link = await log.engine.link({ from, to: [to], keys: ["/shared/**"] })
    await set(from, { n: 1 })
    await until(async () => (await valueOf(to, "n")) === 1)
    await set(to, { own: 1 })
    await linksQuiet(log.engine)
    await putLate(link.link, to, link.hub)
    await linksQuiet(log.engine)
    expect(await sharedOf(link.hub)).toEqual({ n: 1 })
    const [other] = (await made(1)) as [string]
    await link.change({ remove: [to], add: [other] })
    await until(async () => (await valueOf(other, "n")) === 1)
    await set(from, { n: 2 })
    await until(async () => (await valueOf(other, "n")) === 2)
    await putLate(link.link, link.hub, to)
    await putLate(link.link, link.hub, from)
    await set(link.hub, { more: 1 })
    await linksQuiet(log.engine)
    expect(await sharedOf(to)).toEqual({ n: 1, own: 1 })
    expect(await sharedOf(from)).toEqual({ n: 2 })
  })
})
