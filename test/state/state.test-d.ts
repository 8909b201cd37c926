import { Schema } from "effect"
import { expectTypeOf, test } from "vitest"
import type { Engine } from "../../src/index.ts"
import type {
  Checkpoint,
  Conflict,
  EngineState,
  EngineStates,
  JsonObject,
  Merge,
  PatchOperation,
  PendingMerge,
  Resolution,
  Snapshot,
  StateBranch,
  StateMerge,
  ValueChange,
  Written
} from "../../src/state.ts"

declare const engine: Engine
declare const state: EngineState

test("a state is of an agent, on a branch", () => {
  expectTypeOf(engine.state("a")).toEqualTypeOf<EngineState>()
  expectTypeOf(engine.state("a", { branch: "try", type: "planner" }).on("other")).toEqualTypeOf<EngineState>()
  // @ts-expect-error a name is a text
  void engine.state(7)
})

test("what is read is JSON, frozen, and has a token for what is written on it", async () => {
  expectTypeOf(state.read()).toEqualTypeOf<Promise<Snapshot>>()
  const { shared, token } = await state.read({ tiers: ["shared"], paths: ["/local/n"], cached: true })
  expectTypeOf(shared).toEqualTypeOf<JsonObject>()
  expectTypeOf(state.update({ shared: { n: 1, gone: null } }, { base: token, actor: "a" })).toEqualTypeOf<
    Promise<Written>
  >()
  // @ts-expect-error what is read is not changed in place
  shared["n"] = 1
  // @ts-expect-error there is no such tier
  void state.read({ tiers: ["global"] })
})

test("a change is of tiers, and of JSON", () => {
  // @ts-expect-error there is no such tier
  void state.update({ global: { n: 1 } })
  // @ts-expect-error a tier is an object
  void state.update({ local: "x" })
  // @ts-expect-error a function is no JSON
  void state.update({ local: { n: () => 1 } })
  // @ts-expect-error a base is a token
  void state.update({ local: { n: 1 } }, { base: 7 })
  // @ts-expect-error a patch is an array of operations
  void state.patch({ op: "remove", path: "/local/n" })
})

test("a version is meant by its number, or by one of its names", () => {
  for (const ref of [
    7,
    { version: 7 },
    { tag: "v1" },
    { commit: "id" },
    { time: new Date() },
    { branch: "b" }
  ])
    void state.diff(ref, ref)
  expectTypeOf<{ position: number }>().toExtend<Parameters<EngineState["diff"]>[0]>()
  expectTypeOf<{ label: string }>().not.toExtend<Parameters<EngineState["revert"]>[0]>()
  expectTypeOf<"a checkpoint" | Checkpoint>().toExtend<Parameters<EngineState["restore"]>[0]>()
})

test("a diff is of the format that was asked for", () => {
  expectTypeOf(state.diff(1)).toEqualTypeOf<Promise<ReadonlyArray<ValueChange>>>()
  expectTypeOf(state.diff(1, 2, { format: "text" })).toEqualTypeOf<Promise<string>>()
  expectTypeOf(state.diff(1, 2, { format: "patch" })).toEqualTypeOf<Promise<ReadonlyArray<PatchOperation>>>()
  // @ts-expect-error there is no such format
  void state.diff(1, 2, { format: "html" })
})

test("a merge has a mode, a strategy and rules, and can be decided where it is pending", async () => {
  const merge = await state.merge("try", {
    into: "main",
    mode: "manual",
    strategy: (conflict) => {
      expectTypeOf(conflict).toEqualTypeOf<Conflict>()
      return conflict.path === "/shared/plan" ? { use: { value: [] } } : undefined
    },
    rules: [{ path: "/shared/tasks", array: { keyed: ["id"] } }]
  })
  expectTypeOf(merge).toExtend<Merge & PendingMerge>()
  expectTypeOf(merge.status).toEqualTypeOf<"merged" | "fast_forward" | "up_to_date" | "pending">()
  expectTypeOf(merge.resolve("/shared/plan", { use: "ours" })).toEqualTypeOf<Promise<void>>()
  expectTypeOf(merge.finish()).toEqualTypeOf<Promise<Written>>()
  // @ts-expect-error there is no such mode
  void state.merge("try", { mode: "octopus" })
  // @ts-expect-error there is no such strategy for arrays
  void state.merge("try", { rules: [{ path: "/shared", array: "zip" }] })
})

test("a resolution takes a side, the base, or a value", () => {
  for (const use of ["ours", "theirs", "base"] as const) expectTypeOf({ use }).toExtend<Resolution>()
  expectTypeOf<{ use: { value: null } }>().toExtend<Resolution>()
  expectTypeOf<{ use: "mine" }>().not.toExtend<Resolution>()
  expectTypeOf<{ value: 1 }>().not.toExtend<Resolution>()
  expectTypeOf<{ use: { value: undefined } }>().not.toExtend<Resolution>()
})

test("all states are listed, found and seen to together", () => {
  expectTypeOf(engine.states).toEqualTypeOf<EngineStates>()
  expectTypeOf(engine.states.branches({ agent: "a" })).toEqualTypeOf<Promise<ReadonlyArray<StateBranch>>>()
  expectTypeOf(engine.states.merges({ status: "pending" })).toEqualTypeOf<
    Promise<ReadonlyArray<StateMerge>>
  >()
  expectTypeOf(engine.states.find({ shared: { plan: "x" } }, { limit: 7 })).resolves.toExtend<
    ReadonlyArray<unknown>
  >()
  expectTypeOf(engine.states.merge("id")).toEqualTypeOf<PendingMerge>()
  expectTypeOf(engine.checkpoint({ agents: ["a", { agent: "b", branch: "try" }] })).toEqualTypeOf<
    Promise<Checkpoint>
  >()
  void engine.defineState({
    agentType: "planner",
    tiers: { shared: Schema.Struct({ budget: Schema.Int }) },
    template: { local: { mood: "new" } },
    rules: [{ path: "/shared/n", number: "counter" }]
  })
  // @ts-expect-error there is no such tier
  void engine.defineState({ tiers: { global: Schema.Struct({}) } })
  // @ts-expect-error a merge is open, merged or given up
  void engine.states.merges({ status: "lost" })
})
