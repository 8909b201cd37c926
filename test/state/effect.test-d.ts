import { Effect } from "effect"
import { expectTypeOf, test } from "vitest"
import {
  type AgentState,
  agentState,
  type LogError,
  type PostgresError,
  type ProjectionError,
  type StateError,
  type StateReason,
  States
} from "../../src/effect.ts"
import type { Merge, Snapshot, StateConflict, Written } from "../../src/state.ts"

declare const states: States["Service"]

type Failure = StateError | LogError | PostgresError | ProjectionError

test("a state is made of the service, and all that may go wrong with it is in its types", () => {
  const state = agentState(states.scene("a", { branch: "try" }))
  expectTypeOf(state).toEqualTypeOf<AgentState>()
  expectTypeOf(state.read()).toEqualTypeOf<Effect.Effect<Snapshot, Failure>>()
  expectTypeOf(state.update({ local: { n: 1 } }, { base: "token" })).toEqualTypeOf<
    Effect.Effect<Written, Failure>
  >()
  expectTypeOf(state.merge("try")).toEqualTypeOf<Effect.Effect<Merge, Failure>>()
  expectTypeOf(state.diff(1, 2, { format: "text" })).toEqualTypeOf<Effect.Effect<string, Failure>>()
  // @ts-expect-error there is no such tier
  void state.update({ global: {} })
})

test("a program needs the service, and one reason can be taken out of its failures", () => {
  const program = Effect.gen(function* () {
    return yield* agentState((yield* States).scene("a")).update({ local: { n: 1 } })
  })
  expectTypeOf(program).toEqualTypeOf<Effect.Effect<Written, Failure, States>>()
  const caught = Effect.catchReason(program, "StateError", "StateConflict", (conflict) => {
    expectTypeOf(conflict).toEqualTypeOf<StateConflict>()
    return Effect.succeed(conflict.conflicts)
  })
  expectTypeOf(caught).toEqualTypeOf<Effect.Effect<Written | StateConflict["conflicts"], Failure, States>>()
  expectTypeOf<StateConflict>().toExtend<StateReason>()
})

test("merges are decided, and several agents restored, by the service", () => {
  expectTypeOf(states.resolve("id", "/shared/plan", { use: { value: 1 } })).toEqualTypeOf<
    Effect.Effect<void, Failure>
  >()
  expectTypeOf(states.finish("id")).toEqualTypeOf<Effect.Effect<Written, Failure>>()
  // @ts-expect-error no such side
  void states.resolve("id", "/shared/plan", { use: "mine" })
})
