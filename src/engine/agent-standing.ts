import { Effect, Layer } from "effect"
import { AGENT } from "../../projections/agents/events.ts"
import { AgentStanding } from "../sync/standing.ts"
import { ReadModels } from "./read-models.ts"

/** Which agents are at work, as their read model says. */
export const agentStanding = Layer.effect(
  AgentStanding,
  Effect.map(ReadModels, ({ agents }) =>
    AgentStanding.of({
      category: AGENT,
      stopped: (ids) => Effect.map(agents.stopped({ agents: ids }), (stopped) => new Set(stopped))
    })
  )
)
