import { Schema } from "effect"
import { describe, expect, test } from "vitest"
import { MergeEnded, MergeUnresolved, StateInvalid, UnknownBranch } from "../../src/errors.ts"
import { InvalidArgument } from "../../src/index.ts"
import { testLog } from "../log/test-log.ts"

const log = testLog()

describe("a pending merge into a branch that was deleted", () => {
  const pending = async (agent: string) => {
    const state = log.engine.state(agent)
    await state.update({ shared: { goal: "x" } })
    await state.branch("s")
    await state.branch("x")
    await state.on("s").update({ shared: { goal: "theirs" } })
    await state.on("x").update({ shared: { goal: "ours" } })
    const merge = await state.on("x").merge("s")
    await merge.resolve("/shared/goal", { use: "theirs" })
    await state.deleteBranch("x")
    return { state, merge }
  }

  test("is not finished", async () => {
    const { merge } = await pending("pending-1")
    await expect(merge.finish()).rejects.toBeInstanceOf(UnknownBranch)
  })

  test("is not finished into another one of its name, and can be given up", async () => {
    const { state, merge } = await pending("pending-2")
    await state.branch("x")
    const before = await state.on("x").read()
    const refused = await merge.finish().catch((error: unknown) => error)
    expect(refused).toBeInstanceOf(MergeEnded)
    expect((refused as Error).message).toContain('its target "x" was deleted')
    expect(await state.on("x").read()).toEqual(before)
    await merge.abort()
    expect(await state.merges()).toMatchObject([{ status: "aborted" }])
  })
})

test("a pending merge takes its source as it was when it was opened, and its target as it is", async () => {
  const state = log.engine.state("pending-3")
  await state.update({ shared: { goal: "x", n: 1 } })
  await state.branch("s")
  await state.on("s").update({ shared: { goal: "theirs" } })
  await state.update({ shared: { goal: "ours" } })
  const merge = await state.merge("s")
  await state.on("s").update({ shared: { n: 2 } })
  await state.update({ local: { n: 3 } })
  await merge.resolve("/shared/goal", { use: "theirs" })
  await merge.finish()
  expect(await state.read()).toMatchObject({ shared: { goal: "theirs", n: 1 }, local: { n: 3 } })
  expect(await state.merge("s")).toMatchObject({ status: "merged" })
  expect((await state.read()).shared).toEqual({ goal: "theirs", n: 2 })
})

describe("a conflict of a whole tier", () => {
  const Shared = Schema.Struct({ spent: Schema.Int, reserved: Schema.Int }).check(
    Schema.makeFilter(({ spent, reserved }) => spent + reserved <= 10 || "more is spent than there is")
  )

  const pending = async (agent: string) => {
    await log.engine.defineState({ agentType: "spender", tiers: { shared: Shared } })
    const state = log.engine.state(agent, { type: "spender" })
    await state.update({ shared: { spent: 1, reserved: 1 } })
    await state.branch("other")
    await state.update({ shared: { spent: 9 } })
    await state.on("other").update({ shared: { reserved: 9 } })
    return { state, merge: await state.merge("other") }
  }

  test.each([5, null, "text", [{ spent: 5 }]])("is not resolved by %j", async (value) => {
    const { state, merge } = await pending(`tier-${JSON.stringify(value).length}`)
    await expect(merge.resolve("/shared", { use: { value } })).rejects.toBeInstanceOf(InvalidArgument)
    await expect(merge.finish()).rejects.toBeInstanceOf(MergeUnresolved)
    expect((await state.read()).shared).toEqual({ spent: 9, reserved: 1 })
  })

  test("is not finished with a value that is none of its schema, and is with another one", async () => {
    const { state, merge } = await pending("tier-checked")
    await merge.resolve("/shared", { use: { value: { spent: 9, reserved: 9 } } })
    await expect(merge.finish()).rejects.toBeInstanceOf(StateInvalid)
    expect((await state.read()).shared).toEqual({ spent: 9, reserved: 1 })
    await merge.resolve("/shared", { use: { value: { spent: 2, reserved: 3 } } })
    await merge.finish()
    expect((await state.read()).shared).toEqual({ spent: 2, reserved: 3 })
  })

  test("is one side as it is, where somebody has decided so, whatever the schema says", async () => {
    const { state, merge } = await pending("tier-side")
    await merge.resolve("/shared", { use: "theirs" })
    await merge.finish()
    expect((await state.read()).shared).toEqual({ spent: 9, reserved: 9 })
  })
})
