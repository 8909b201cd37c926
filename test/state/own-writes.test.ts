import { describe, expect, test } from "vitest"
import { StateConflict } from "../../src/state.ts"
import { testLog, upTo } from "../log/test-log.ts"

// What an engine writes beside the writers of branches, it knows as well; and nothing that it does holds itself up.

const log = testLog()

const cached = async (agent: string) => (await log.engine.state(agent).read({ cached: true })).shared

describe("what this engine wrote is in what it has in memory", () => {
  test("after a merge is finished", async () => {
    const state = log.engine.state("own-1")
    await state.update({ shared: { n: 0 } })
    await state.branch("side")
    await state.on("side").update({ shared: { n: 1 } })
    await state.update({ shared: { n: 2 } })
    const merge = await state.merge("side")
    await merge.resolve("/shared/n", { use: "theirs" })
    await state.read()
    await merge.finish()
    expect(await cached("own-1")).toEqual({ n: 1 })
  })

  test("after several agents are restored together", async () => {
    const [one, two] = [log.engine.state("own-2"), log.engine.state("own-3")]
    await one.update({ shared: { n: 1 } })
    await two.update({ shared: { n: 1 } })
    const checkpoint = await log.engine.checkpoint({ agents: ["own-2", "own-3"] })
    await one.update({ shared: { n: 2 } })
    await two.update({ shared: { n: 2 } })
    await log.engine.restore(checkpoint)
    expect([await cached("own-2"), await cached("own-3")]).toEqual([{ n: 1 }, { n: 1 }])
  })
})

test("who is refused beside a change of somebody else is told of that change, once it is in the log", async () => {
  const state = log.engine.state("own-4")
  await state.update({ shared: { k: 0 } }, { actor: "first" })
  const { token: base } = await state.read()
  // While this one is under way the others wait, and are worked out together.
  const before = state.update({ local: { n: 1 } })
  const outcomes = await Promise.allSettled(
    upTo(3).map((n) => state.update({ shared: { k: n } }, { base, actor: `writer-${n}`, reason: `${n}` }))
  )
  await before
  const refused = outcomes.flatMap((outcome): ReadonlyArray<unknown> =>
    outcome.status === "rejected" ? [outcome.reason] : []
  )
  expect(refused).toHaveLength(2)
  const { shared } = await state.read()
  for (const error of refused) {
    expect(error).toBeInstanceOf(StateConflict)
    const [conflict] = (error as StateConflict).conflicts
    expect(conflict).toMatchObject({ ours: shared["k"], oursBy: `writer-${shared["k"] as number}` })
  }
})

test("merges of many branches into one get through, on fewer connections than there are merges", async () => {
  const engine = await log.open({ poolSize: 3 })
  const state = engine.state("own-5")
  await state.update({ shared: { n: 0 } })
  const names = upTo(16).map((n) => `b${n}`)
  for (const name of names) {
    await state.branch(name)
    await state.on(name).update({ shared: { [name]: true } })
  }
  const merged = await Promise.all(names.map((name) => state.merge(name)))
  expect(merged.map(({ status }) => status).filter((status) => status === "pending")).toEqual([])
  expect(Object.keys((await state.read()).shared).toSorted()).toEqual([...names, "n"].toSorted())
})
