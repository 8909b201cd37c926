import { Schema } from "effect"
import { describe, expect, test } from "vitest"
import { InvalidArgument } from "../../src/index.ts"
import { InvalidRules, MergeUnresolved, StateInvalid } from "../../src/state.ts"
import { testLog } from "../log/test-log.ts"

const log = testLog()

const Shared = Schema.Struct({
  plan: Schema.optionalKey(Schema.Array(Schema.String)),
  budget: Schema.optionalKey(Schema.Int.check(Schema.isLessThanOrEqualTo(100))),
  spent: Schema.optionalKey(Schema.Int),
  reserved: Schema.optionalKey(Schema.Int)
}).check(
  Schema.makeFilter(({ spent = 0, reserved = 0 }) => spent + reserved <= 10 || "more is spent than there is")
)

describe("a definition", () => {
  test("is checked by updates, patches and restores, and nothing that breaks it is written", async () => {
    await log.engine.defineState({ agentType: "planner", tiers: { shared: Shared } })
    const state = log.engine.state("checked-1", { type: "planner" })
    await state.update({ shared: { plan: ["a"], budget: 7 } })
    const before = await state.read()
    const refused = await state.update({ shared: { budget: 101 } }).catch((error: unknown) => error)
    expect(refused).toBeInstanceOf(StateInvalid)
    expect((refused as Error).message).toContain("100")
    await expect(state.patch([{ op: "add", path: "/shared/plan/-", value: 7 }])).rejects.toBeInstanceOf(
      StateInvalid
    )
    expect(await state.read()).toEqual(before)
    // Another type, and other tiers, are free.
    await log.engine.state("checked-2").update({ shared: { budget: 101 } })
    await state.update({ local: { budget: 101 } })
    expect((await state.read()).local).toEqual({ budget: 101 })
  })

  test("is checked by restores: what was right once may be wrong now", async () => {
    const state = log.engine.state("checked-3", { type: "saver" })
    await state.update({ shared: { budget: 500 } })
    const checkpoint = await state.checkpoint()
    await state.update({ shared: { budget: 5 } })
    await log.engine.defineState({ agentType: "saver", tiers: { shared: Shared } })
    await expect(state.restore(checkpoint)).rejects.toBeInstanceOf(StateInvalid)
    expect((await state.read()).shared).toEqual({ budget: 5 })
  })

  test("makes a conflict of a merge whose outcome breaks it, though either side was right", async () => {
    await log.engine.defineState({ agentType: "spender", tiers: { shared: Shared } })
    const state = log.engine.state("checked-4", { type: "spender" })
    await state.update({ shared: { spent: 1, reserved: 1 } })
    await state.branch("other")
    await state.update({ shared: { spent: 9 } })
    await state.on("other").update({ shared: { reserved: 9 } })
    const merge = await state.merge("other")
    expect(merge).toMatchObject({
      status: "pending",
      conflicts: [{ path: "/shared", kind: "constraint", problem: expect.stringContaining("more is spent") }]
    })
    expect((await state.read()).shared).toEqual({ spent: 9, reserved: 1 })
    await expect(merge.finish()).rejects.toBeInstanceOf(MergeUnresolved)
    await merge.resolve("/shared", { use: { value: { spent: 5, reserved: 5 } } }, { by: "ada" })
    await merge.finish()
    expect((await state.read()).shared).toEqual({ spent: 5, reserved: 5 })
  })

  test("has a whole tier decided anew where it came to be another one since", async () => {
    await log.engine.defineState({ agentType: "spender", tiers: { shared: Shared } })
    const state = log.engine.state("checked-5", { type: "spender" })
    await state.update({ shared: { spent: 1, reserved: 1 } })
    await state.branch("other")
    await state.update({ shared: { spent: 9 } })
    await state.on("other").update({ shared: { reserved: 9 } })
    const merge = await state.merge("other")
    const value = { spent: 5, reserved: 5 }
    await merge.resolve("/shared", { use: { value } }, { by: "ada" })
    await state.update({ shared: { plan: ["a"] } })
    await expect(merge.finish()).rejects.toMatchObject({
      name: "MergeUnresolved",
      paths: ["/shared"],
      isChecked: true
    })
    expect((await state.read()).shared).toEqual({ spent: 9, reserved: 1, plan: ["a"] })
    await merge.resolve("/shared", { use: { value: { ...value, plan: ["a"] } } }, { by: "ada" })
    await state.update({ local: { n: 1 } })
    await merge.finish()
    expect((await state.read()).shared).toEqual({ ...value, plan: ["a"] })
  })

  test("gives new agents of its type what they begin with, also in an engine that was not told", async () => {
    const template = { persistent: { skills: ["read"] }, local: { mood: "new" } }
    await log.engine.defineState({ agentType: "novice", template })
    const other = await log.open()
    const state = other.state("novice-1", { type: "novice" })
    await state.update({ local: { mood: "busy" } })
    expect(await state.read()).toMatchObject({
      local: { mood: "busy" },
      persistent: { skills: ["read"] }
    })
    expect((await other.state("novice-2").read()).persistent).toEqual({})
    await other.state("novice-2").update({ local: { n: 1 } })
    expect((await other.state("novice-2").read()).persistent).toEqual({})
  })

  test("may have a template that leaves a tier to whoever writes it first", async () => {
    const tiers = { shared: Schema.Struct({ budget: Schema.Int }) }
    await log.engine.defineState({ agentType: "starter", tiers, template: { persistent: { skills: [] } } })
    const state = log.engine.state("starter-1", { type: "starter" })
    await state.update({ shared: { budget: 1 } })
    expect(await state.read()).toMatchObject({ shared: { budget: 1 }, persistent: { skills: [] } })
  })

  test("of an agent goes before that of its type, and that before the one of all", async () => {
    const engine = await log.open()
    const counter = (path: string) => ({ path, number: "counter" as const })
    await engine.defineState({ rules: [counter("/shared/all"), counter("/shared/mine")] })
    await engine.defineState({ agentType: "ruled", rules: [{ path: "/shared/mine", number: "max" }] })
    await engine.defineState({ agent: "ruled-1", rules: [{ path: "/shared/own", number: "min" }] })
    const state = engine.state("ruled-1", { type: "ruled" })
    await state.update({ shared: { all: 10, mine: 10, own: 10 } })
    await state.branch("other")
    await state.update({ shared: { all: 11, mine: 11, own: 11 } })
    await state.on("other").update({ shared: { all: 15, mine: 15, own: 15 } })
    expect(await state.merge("other")).toMatchObject({ status: "merged", conflicts: [] })
    expect((await state.read()).shared).toEqual({ all: 16, mine: 15, own: 11 })
  })

  test("is written once, however often it is said, and anew where it says something else", async () => {
    const engines = [log.engine, await log.open()]
    const rules = [{ path: "/shared/n", number: "counter" as const }]
    const said = await Promise.all(
      engines.flatMap((engine) => [
        engine.defineState({ agentType: "again", rules }),
        engine.defineState({ agentType: "again", rules })
      ])
    )
    expect(said).toEqual(said.map(() => ({ scope: "type:again", version: 1 })))
    expect(await log.engine.defineState({ agentType: "again", rules: [] })).toMatchObject({ version: 2 })
  })

  test.each([
    ["of an agent and a type", { agent: "a", agentType: "b" }, InvalidArgument],
    ["of an unknown tier", { tiers: { global: Shared } as never }, InvalidArgument],
    ["of an agent with a template", { agent: "a", template: { local: { n: 1 } } }, InvalidArgument],
    ["of all agents with a template", { template: { local: { n: 1 } } }, InvalidArgument],
    ["of a malformed type", { agentType: "two words" }, InvalidArgument],
    ["with a malformed rule", { rules: [{ path: "shared", number: "counter" as const }] }, InvalidRules],
    ["with an unknown strategy", { rules: [{ path: "/shared", array: "zip" as never }] }, InvalidRules]
  ])("%s is refused", async (_, definition, refusal) => {
    await expect(log.engine.defineState(definition)).rejects.toBeInstanceOf(refusal)
  })
})
