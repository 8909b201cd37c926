import { Effect, Layer } from "effect"
import { AGENT } from "../../projections/agents/events.ts"
import { builtIn } from "../../projections/index.ts"
import { Gatherer } from "../base/gatherer.ts"
import { mayWaitForWrites } from "../log/causation.ts"
import type { OperationError } from "../projection/operation.ts"
import { Projections } from "../projection/projections.ts"
import { AgentStanding } from "../sync/standing.ts"
import { ReadModels } from "./read-models.ts"

/** Which agents are at work, as their read model says. */
export const agentStanding = Layer.effect(
  AgentStanding,
  Effect.gen(function* () {
    const { agents } = yield* ReadModels
    const projections = yield* Projections
    const stopped = (ids: ReadonlyArray<string>): Effect.Effect<ReadonlySet<string>, OperationError> =>
      Effect.map(agents.stopped({ agents: ids }), (found) => new Set(found))
    const gathered = new Gatherer((asked: ReadonlyArray<ReadonlyArray<string>>) =>
      Effect.map(stopped(asked.flat()), (found) => asked.map(() => found))
    )
    return AgentStanding.of({
      category: AGENT,
      caughtUp: (position) => projections.reached(builtIn.agents.name, position),
      stopped: (ids) => (mayWaitForWrites() ? gathered.one(ids) : stopped(ids))
    })
  })
)
