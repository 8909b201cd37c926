import { Effect, Layer } from "effect"
import { AGENT } from "../../projections/agents/events.ts"
import { builtIn } from "../../projections/index.ts"
import { Projections } from "../projection/projections.ts"
import { AgentStanding } from "../sync/standing.ts"
import { ReadModels } from "./read-models.ts"

/** Which agents are at work, as their read model says. */
export const agentStanding = Layer.effect(
  AgentStanding,
  Effect.gen(function* () {
    const { agents } = yield* ReadModels
    const projections = yield* Projections
    return AgentStanding.of({
      category: AGENT,
      caughtUp: (position) => projections.reached(builtIn.agents.name, position),
      stopped: (ids) => Effect.map(agents.stopped({ agents: ids }), (stopped) => new Set(stopped))
    })
  })
)
