import { isDeepStrictEqual } from "node:util"
import { describe, expect, test } from "vitest"
import type { EngineLink } from "../../src/engine/linking.ts"
import type { JsonObject } from "../../src/state.ts"
import { eventsOf, testLog } from "../log/test-log.ts"
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
    await Promise.all(
      group.map(async (agent) => {
        const state = log.engine.state(agent)
        await state.update({ shared: { count: 1 } }, { base: (await state.read()).token })
      })
    )
    await until(async () => (await Promise.all(group.map(sharedOf))).every(({ count }) => count === 4))
    await quiet(link)
    expect(await Promise.all(group.map(sharedOf))).toEqual(group.map(() => ({ count: 4 })))
    const events = await Promise.all(group.map((agent) => eventsOf(log.engine, `state-main@${agent}`)))
    // One that counts, and what comes of the three others.
    for (const one of events) expect(one.length).toBeLessThanOrEqual(2 + 3)
  })
})
