import { describe, expect, test } from "vitest"
import { NotFastForward } from "../../src/errors.ts"
import type { EngineState } from "../../src/state.ts"
import { testLog } from "../log/test-log.ts"

// Versions of a branch at which its values are what they were before are nothing that another lacks.

const log = testLog()

let made = 0
const fresh = async () => {
  const state = log.engine.state(`nothing-new-${(made += 1)}`)
  await state.update({ shared: { plan: ["a"] }, local: { n: 1 } })
  await state.branch("try")
  return { state, branch: state.on("try") }
}

describe("a merge of a branch that has changed nothing since it began", () => {
  test("is up to date, and writes nothing", async () => {
    const { state, branch } = await fresh()
    await state.update({ local: { n: 2 } })
    const before = await state.read()
    expect(await state.merge("try")).toMatchObject({ status: "up_to_date", version: before.version })
    await branch.commit("as it was")
    await branch.checkpoint()
    expect(await state.merge("try", { mode: "manual" })).toMatchObject({ status: "up_to_date" })
    expect(await state.read()).toEqual(before)
    expect(await state.merges()).toEqual([])
  })

  test("takes what the branch before it has, which it began with", async () => {
    const { state, branch } = await fresh()
    await branch.update({ local: { n: 2 } })
    await branch.branch("again")
    expect(await state.merge("again")).toMatchObject({ status: "fast_forward" })
    expect((await state.read()).local).toEqual({ n: 2 })
  })

  test("takes what it changed later", async () => {
    const { state, branch } = await fresh()
    await state.merge("try")
    await branch.update({ local: { n: 2 } })
    await state.update({ shared: { plan: ["b"] } })
    expect(await state.merge("try")).toMatchObject({ status: "merged" })
    expect(await state.read()).toMatchObject({ local: { n: 2 }, shared: { plan: ["b"] } })
  })
})

describe("a target of which nothing has changed since a branch began goes forward to it", () => {
  test.each<readonly [string, (state: EngineState) => Promise<unknown>]>([
    ["after a commit", (state) => state.commit("as it was")],
    ["after a checkpoint", (state) => state.checkpoint()],
    ["after a tag and another branch", (state) => Promise.all([state.tag("t"), state.branch("other")])],
    ["after a session without a key", (state) => state.startSession("s").then(() => state.endSession())],
    [
      "after a change that was undone",
      (state) => state.update({ local: { n: 2 } }).then(({ version }) => state.revert(version))
    ]
  ])("%s", async (_, since) => {
    const { state, branch } = await fresh()
    await since(state)
    await branch.update({ local: { n: 3 } })
    expect(await state.merge("try", { mode: "fast_forward" })).toMatchObject({ status: "fast_forward" })
    expect((await state.read()).hash).toBe((await branch.read()).hash)
    expect(await state.verify()).toMatchObject({ isSound: true })
  })

  test("but not where it has another value by then", async () => {
    const { state, branch } = await fresh()
    await state.checkpoint()
    await state.update({ shared: { plan: [] } })
    await branch.update({ local: { n: 3 } })
    await expect(state.merge("try", { mode: "fast_forward" })).rejects.toBeInstanceOf(NotFastForward)
  })
})
