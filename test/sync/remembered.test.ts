import { Client } from "pg"
import { afterEach, describe, expect, test, vi } from "vitest"
import { testLog, upTo } from "../log/test-log.ts"

// An engine remembers what keys have met: it asks for no more than whether that is current, and is never wrong about it.

const log = testLog()

afterEach(() => {
  vi.restoreAllMocks()
})

let made = 0
const written = async (count: number) => {
  const states = upTo(count).map(() => log.engine.state(`remembered-${(made += 1)}`))
  for (const state of states) await state.update({ local: { own: state.agent } })
  return states
}
type State = Awaited<ReturnType<typeof written>>[number]

const rules = [{ path: "/shared/count", number: "counter" as const }]

const syncAll = async (from: State, to: ReadonlyArray<State>, engine = log.engine) => {
  const agents = to.map(({ agent }) => agent)
  const { targets } = await engine.sync({ from: from.agent, to: agents, keys: ["/shared/**"], rules })
  return targets
}

const shared = async (state: State) => (await state.read()).shared

/** The statements about states, and those that append, that this process runs meanwhile. */
const statementsOf = async (use: () => Promise<unknown>): Promise<ReadonlyArray<string>> => {
  const asked = vi.spyOn(Client.prototype, "query")
  await use()
  const texts = asked.mock.calls.map(([config]) => (config as unknown as { text?: string }).text ?? "")
  const about =
    /^(?:-- What came in some streams)|load_branch|of_keys|removed_state_keys|append_(?:batch|lone)/
  return texts.flatMap((text) => about.exec(text)?.[0] ?? [])
}

const TARGETS = 30

test("many targets are asked about at once, and written at once", async () => {
  const [hub, ...members] = (await written(TARGETS + 1)) as [State, ...ReadonlyArray<State>]
  await hub.update({ shared: { plan: 1, done: 1 } })
  await syncAll(hub, members)
  await hub.update({ shared: { plan: 2, done: null } })
  const statements = await statementsOf(async () => {
    for (const { status } of await syncAll(hub, members)) expect(status).toBe("synced")
  })
  const tail = "-- What came in some streams"
  expect(statements.filter((one) => one === tail).length).toBeLessThanOrEqual(3)
  expect(statements.filter((one) => one !== tail)).toEqual(["append_batch"])
  for (const member of members) expect(await shared(member)).toEqual({ plan: 2 })
})

describe("what another engine has done since", () => {
  test("to the source, counts: what it changed, removed and took over from others", async () => {
    const [a, b, c] = (await written(3)) as [State, State, State]
    await a.update({ shared: { count: 1, gone: 1 } })
    await syncAll(a, [b])
    const other = await log.open()
    const theirs = other.state(a.agent)
    await theirs.update({ shared: { count: 3, gone: null } })
    await c.update({ shared: { count: 10 } })
    await syncAll(c, [theirs], other)
    expect(await syncAll(a, [b])).toMatchObject([{ status: "synced", conflicts: [] }])
    expect(await shared(b)).toEqual({ count: 13 })
    await syncAll(c, [b])
    expect(await shared(b)).toEqual({ count: 13 })
  })

  test("to a target counts, also while it is synchronised", async () => {
    const [a, b] = (await written(2)) as [State, State]
    await a.update({ shared: { count: 1 } })
    await syncAll(a, [b])
    const other = await log.open()
    const theirs = other.state(b.agent)
    let count = 1
    for (const _ of upTo(10)) {
      await a.update({ shared: { count: (count += 1) } })
      const [targets] = await Promise.all([
        syncAll(a, [b]),
        theirs.update({ shared: { own: count } }),
        syncAll(a, [theirs], other)
      ])
      expect(targets).toMatchObject([{ conflicts: [], error: undefined }])
    }
    expect(await shared(b)).toEqual({ count, own: count })
  })
})

test("what a merge brought is known after it", async () => {
  const [a, b] = (await written(2)) as [State, State]
  await a.update({ shared: { count: 1 } })
  await syncAll(a, [b])
  await b.branch("try")
  await a.update({ shared: { count: 5 } })
  await log.engine.sync({
    from: a.agent,
    to: [{ agent: b.agent, branch: "try" }],
    keys: ["/shared/**"],
    rules
  })
  await b.on("try").update({ shared: { more: 1 } })
  await b.merge("try", { rules })
  await syncAll(a, [b])
  await syncAll(b, [a])
  for (const state of [a, b]) expect(await shared(state)).toEqual({ count: 5, more: 1 })
})
