import { Effect } from "effect"
import { expectTypeOf, it } from "vitest"
import type { builtIn } from "../../projections/index.ts"
import type { Agent } from "../../projections/agents/agent.ts"
import type { Bound, OperationError, OperationOptions } from "../../src/projection/operation.ts"

type Agents = Bound<(typeof builtIn)["agents"]["operations"]>
type Metrics = Bound<(typeof builtIn)["metrics"]["operations"]>

it("gives bound operations the types of their schemas", () => {
  expectTypeOf<Parameters<Agents["get"]>>().toEqualTypeOf<
    [input: { readonly agent: string }, options?: OperationOptions]
  >()
  expectTypeOf<ReturnType<Agents["get"]>>().toEqualTypeOf<Effect.Effect<Agent | null, OperationError>>()
  expectTypeOf<ReturnType<Agents["list"]>>().toEqualTypeOf<
    Effect.Effect<ReadonlyArray<Agent>, OperationError>
  >()
})

it("lets an input be left out where nothing in it is required, and only there", () => {
  expectTypeOf<[]>().toExtend<Parameters<Agents["list"]>>()
  expectTypeOf<[]>().not.toExtend<Parameters<Agents["register"]>>()
  expectTypeOf<[{ agent: string; occurredAt: Date }]>().toExtend<Parameters<Agents["register"]>>()
  expectTypeOf<[{ agent: number }]>().not.toExtend<Parameters<Agents["register"]>>()
  expectTypeOf<[[{ agent: "a"; name: "m"; value: 1 }]]>().toExtend<Parameters<Metrics["record"]>>()
})
