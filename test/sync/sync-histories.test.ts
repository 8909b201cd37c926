import { describe, expect, test } from "vitest"
import type { Rule, SyncOptions } from "../../src/state.ts"
import { testLog, upTo } from "../log/test-log.ts"
import { damageEvent } from "../state/damage.ts"

// What synchronisations have to do with all else that happens to states.

const log = testLog()

let made = 0
type State = ReturnType<typeof log.engine.state>

const written = async (count: number): Promise<ReadonlyArray<State>> => {
  const states = upTo(count).map(() => log.engine.state(`historic-${(made += 1)}`))
  for (const state of states) await state.update({ local: { own: state.agent } })
  return states
}

const rules: ReadonlyArray<Rule> = [{ path: "/shared/count", number: "counter" }]

interface Branch {
  readonly agent: string
  readonly branchName: string
}

const place = ({ agent, branchName }: Branch) => ({ agent, branch: branchName })

const syncOne = async (from: Branch, to: Branch, options: Partial<SyncOptions> = {}) => {
  const given = { keys: ["/shared/**"], rules, ...options, from: place(from), to: [place(to)] }
  const { targets } = await log.engine.sync(given)
  return targets[0]!
}

const shared = async (state: State) => (await state.read()).shared
const folded = (state: State) => log.engine.states.syncs({ agent: state.agent })
const verifiedRebuild = () => log.engine.rebuild("states", { verify: true })

describe("a state that is repaired to before", () => {
  test("a synchronisation has met nobody, live and in a read model that is made anew", async () => {
    const [a, b] = (await written(2)) as [State, State]
    await a.update({ shared: { plan: { x: 1 } } })
    const { version } = await syncOne(a, b)
    await b.update({ shared: { plan: { y: 1 } } })
    await folded(b)
    await damageEvent(log, b, version!)
    await b.repair()
    expect(await shared(b)).toEqual({})
    await verifiedRebuild()
    await a.update({ shared: { plan: { z: 1 } } })
    expect(await syncOne(a, b)).toMatchObject({ applied: ["/shared/plan"], conflicts: [] })
    expect(await shared(b)).toEqual({ plan: { x: 1, z: 1 } })
    expect(await b.verify()).toMatchObject({ isSound: true })
  })

  test("what others have had of it goes on with them, and with what it goes on from", async () => {
    const [a, b, c] = (await written(3)) as [State, State, State]
    await c.update({ shared: { n: 0 } })
    const { version } = await c.update({ shared: { n: 1 } })
    await syncOne(c, a)
    await syncOne(c, b)
    await damageEvent(log, c, version)
    await c.repair()
    await a.update({ shared: { own: 1 } })
    for (const [from, to] of [
      [a, b],
      [b, a],
      [c, a],
      [a, c],
      [c, b],
      [b, c]
    ] as const)
      expect((await syncOne(from, to, { strategy: "source_wins" })).error).toBeUndefined()
    for (const state of [a, b, c]) expect(await shared(state)).toMatchObject({ own: 1 })
  })
})

test("a synchronisation before a damaged version counts, whatever was folded with it", async () => {
  const [a, b] = (await written(2)) as [State, State]
  await a.update({ shared: { count: 10 } })
  const { version: at } = await syncOne(a, b)
  await b.update({ shared: { own: 1 } })
  const { version } = await b.update({ shared: { own: 2 } })
  await damageEvent(log, b, version)
  await log.engine.rebuild("states")
  await b.branch("try", { at: { version: at! } })
  await a.update({ shared: { count: 11 } })
  await syncOne(a, b.on("try"))
  expect(await shared(b.on("try"))).toMatchObject({ count: 11 })
  expect(await folded(b)).toHaveLength(2)
})

test("a merge of branches knows of keys that were synchronised between them, or with another by both", async () => {
  const [a, b] = (await written(2)) as [State, State]
  await a.update({ shared: { count: 1, mode: "x" } })
  await a.branch("try")
  await a.on("try").update({ shared: { count: 11, mode: "y" } })
  await syncOne(a.on("try"), a)
  await a.update({ shared: { mode: "z" } })
  await a.on("try").update({ shared: { more: 1 } })
  expect((await a.merge("try", { rules })).status).toBe("merged")
  expect(await shared(a)).toEqual({ count: 11, mode: "z", more: 1 })

  await b.update({ shared: { count: 100 } })
  await a.branch("other")
  await syncOne(b, a)
  await syncOne(b, a.on("other"))
  await a.on("other").update({ shared: { most: 1 } })
  expect((await a.merge("other", { rules })).status).toBe("merged")
  expect(await shared(a)).toMatchObject({ count: 111, most: 1 })
})

test("what was removed does not come back by way of others, though the source had it from them", async () => {
  const [a, b, c] = (await written(3)) as [State, State, State]
  await c.update({ shared: { x: 1 } })
  await syncOne(c, a)
  await a.update({ shared: { x: null } })
  expect(await syncOne(a, b)).toMatchObject({ status: "up_to_date", skipped: ["/shared/x"] })
  const { version } = await b.read()
  expect(await syncOne(c, b)).toMatchObject({ status: "up_to_date" })
  expect(await syncOne(a, b)).toMatchObject({ status: "up_to_date", version })
  expect(await shared(b)).toEqual({})
})

test("conflicts of values that are too large for an event are told, and leave all else as it is to be", async () => {
  const [a, b, c] = (await written(3)) as [State, State, State]
  await a.update({ shared: { doc: "x".repeat(600_000), small: 1 } })
  await b.update({ shared: { doc: "y".repeat(600_000) } })
  const { targets } = await log.engine.sync({ from: a.agent, to: [b.agent, c.agent], keys: ["/shared/**"] })
  expect(targets.map(({ status }) => status)).toEqual(["conflicts", "synced"])
  expect(await shared(b)).toMatchObject({ small: 1 })
  const [left] = await log.engine.states.syncs({ agent: b.agent, status: "conflicts" })
  expect(left).toMatchObject({ keys: ["/shared/doc"], conflictsDetected: 1 })
})

test("more keys than one event names are taken over by several, and all are told", async () => {
  const [a, b] = (await written(2)) as [State, State]
  const all = (value: number) =>
    Object.fromEntries(upTo(4_500).map((n) => [`a-key-with-a-name-${n}/of-some-length`, value]))
  await a.update({ shared: all(1) })
  await b.update({ shared: { own: 1 } })
  const { applied, skipped, status } = await syncOne(a, b)
  expect([applied.length, skipped, status]).toEqual([4_500, ["/shared/own"], "synced"])
  expect(await shared(b)).toEqual({ ...all(1), own: 1 })
  await a.update({ shared: all(2) })
  expect((await syncOne(a, b)).applied).toHaveLength(4_500)
  expect(await syncOne(b, a)).toMatchObject({ status: "synced", applied: ["/shared/own"] })
})

test("what synchronisations have done is told alike, however the log is cut into batches", async () => {
  const [a, b, other] = (await written(3)) as [State, State, State]
  await other.branch("try")
  await other.on("try").update({ shared: { x: 1 } })
  await other.update({ shared: { y: 1 } })
  await a.update({ shared: { plan: 1, mode: 1 } })
  await b.update({ shared: { mode: 2 } })
  await syncOne(a, b)
  await other.merge("try")
  await verifiedRebuild()
  expect(await folded(b)).toHaveLength(2)
})
