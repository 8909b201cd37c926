import { beforeAll, describe, expect, test } from "vitest"
import type { JsonObject, Rule } from "../../src/state.ts"
import { eventsOf, testLog, upTo } from "../log/test-log.ts"
import { collector, until } from "../support/eventually.ts"
import { startWorker } from "../support/process.ts"
import { startProxy } from "../support/proxy.ts"
import { linksQuiet } from "./quiet.ts"

// What links promise where processes are killed in the middle of whatever they are at, and where the network is gone for a while.

const log = testLog({ leaseMs: 1_000 })

interface Said {
  readonly ready?: boolean
  readonly over?: boolean
}

const KILLS = Number(process.env["LINK_KILLS"] ?? 2)
const CUT_MS = Number(process.env["LINK_CUT_MS"] ?? 5_000)
const LIFE_MS = 500
const PATIENCE_MS = 90_000

/** How often all of them count at least. */
const MANY = 20

const rules: ReadonlyArray<Rule> = [
  { path: "/shared/count", number: "counter" },
  { path: "/shared/list", array: "append" }
]

beforeAll(() => log.engine.defineState({ rules }))

const sharedOf = async (agent: string): Promise<JsonObject> =>
  (await log.engine.state(agent).read({ tiers: ["shared"] })).shared as JsonObject

/** What the agents have changed themselves, by the log. */
const ownChanges = async (agents: ReadonlyArray<string>) => {
  const all = await Promise.all(agents.map((agent) => eventsOf(log.engine, `state-main@${agent}`)))
  const own = all.flat().filter(({ type }) => type === "StateChanged" || type === "StateCreated")
  return {
    counts: own.filter(({ meta }) => meta.reason === "count").length,
    appends: own.filter(({ meta }) => meta.reason === "append").length,
    events: all.flat().length
  }
}

describe("processes that change linked states, killed one after the other,", () => {
  test.each<[string, (agents: ReadonlyArray<string>) => Promise<unknown>]>([
    ["in a group", (group) => log.engine.link({ group, keys: ["/shared/**"] })],
    [
      "in a ring",
      (agents) =>
        Promise.all(
          agents.map((from, at) =>
            log.engine.link({ from, to: [agents[(at + 1) % agents.length]!], keys: ["/shared/**"] })
          )
        )
    ]
  ])(
    "%s, come to the exact sums, or say in the inbox why not",
    { timeout: 4 * PATIENCE_MS },
    async (shape, link) => {
      const agents = upTo(5).map((n) => `${shape.replaceAll(" ", "-")}-${n}`)
      for (const agent of agents) await log.engine.state(agent).update({ local: { agent } })
      await link(agents)
      const start = (nth: number) =>
        startWorker<Said>("linked", { input: { database: log.db.url, agents, name: `${shape} ${nth}` } })
      const workers = [start(1), start(2)]
      for (const worker of workers) await worker.saysThat(({ ready }) => ready === true)
      for (const nth of upTo(KILLS)) {
        const since = (await log.engine.status()).head
        await until(async () => (await log.engine.status()).head > since + 20)
        await new Promise((done) => setTimeout(done, Math.random() * LIFE_MS))
        await workers.shift()!.kill()
        const next = start(2 + nth)
        await next.saysThat(({ ready }) => ready === true)
        workers.push(next)
      }
      await until(async () => (await ownChanges(agents)).counts > MANY, { within: PATIENCE_MS })
      for (const worker of workers) {
        worker.send("over")
        await worker.saysThat(({ over }) => over === true)
      }
      await linksQuiet(log.engine, PATIENCE_MS)
      for (const worker of workers) await worker.kill()
      await linksQuiet(log.engine, PATIENCE_MS)

      const { counts, appends, events } = await ownChanges(agents)
      const shared = await Promise.all(agents.map(sharedOf))
      // Whatever is not the same has to be in the inbox: round a ring, what all had in common may be too deep down to be found. By one hub it never is.
      const open = await log.engine.conflicts.list({ status: "open" })
      const left = new Set(
        open
          .filter(({ source, target }) => agents.includes(source) || agents.includes(target))
          .flatMap(({ keys }) => keys)
      )
      if (shape === "in a group") expect(left).toEqual(new Set())
      const same = (key: string): unknown => {
        for (const one of shared) expect(one[key]).toEqual(shared[0]![key])
        return shared[0]![key]
      }
      if (!left.has("/shared/count")) expect(same("count")).toBe(counts)
      if (!left.has("/shared/list")) {
        const list = same("list") as ReadonlyArray<string>
        expect(new Set(list).size).toBe(list.length)
        expect(list.length).toBe(appends)
      }
      // Each change comes to each of the others, and, in a ring, what others know of it once more.
      expect(events).toBeLessThanOrEqual((counts + appends + agents.length) * agents.length * 2)
      for (const agent of agents)
        expect(await log.engine.state(agent).verify()).toMatchObject({ isSound: true })
    }
  )
})

describe("a network that is gone for a while", { timeout: 2 * PATIENCE_MS + CUT_MS }, () => {
  test("keeps nothing back in the end: what is watched comes in order, and links catch up both ways", async () => {
    await using proxy = await startProxy(log.db.url)
    const away = await log.open({ database: proxy.url })
    const names = ["near", "far"]
    for (const name of names) await log.engine.state(name).update({ local: { name } })
    await log.engine.link({ group: names, keys: ["/shared/**"] })
    const seen = collector<number>()
    await away.state("near").watch(["/local/n"], ({ changes }) => seen.push(changes[0]!.after as number))
    const near = log.engine.state("near")
    await near.update({ local: { n: 1 } })
    await seen.reaches(1)

    proxy.blackHole()
    proxy.refuse()
    const until_ = Date.now() + CUT_MS
    let n = 1
    while (Date.now() < until_ || n < 20) {
      n += 1
      await near.update({ local: { n }, shared: { count: n - 1 } })
      await new Promise((done) => setTimeout(done, CUT_MS / 25))
    }
    const said = away.state("far").update({ shared: { mark: "back" } })
    expect(seen.items.length).toBe(1)
    proxy.cut()
    await proxy.heal()

    await until(async () => seen.items.length >= n, { within: PATIENCE_MS })
    expect(seen.items).toEqual(upTo(n))
    await said
    await until(async () => (await sharedOf("near"))["mark"] === "back", { within: PATIENCE_MS })
    await linksQuiet(log.engine, PATIENCE_MS)
    expect(await sharedOf("far")).toEqual(await sharedOf("near"))
  })
})
