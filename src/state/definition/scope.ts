import { Effect } from "effect"
import { InvalidArgument, type LogError, logError } from "../../log/error.ts"
import { agentProblem } from "../name.ts"
import type { StateDefinition } from "./definitions.ts"

/** The scope of what is said of all agents. */
export const ALL = "all"

const typeProblem = (agentType: unknown): InvalidArgument | undefined =>
  typeof agentType === "string" && /^[\x21-\x7e]{1,122}$/.test(agentType)
    ? undefined
    : new InvalidArgument({
        problem: `The type of agent ${JSON.stringify(agentType)} is none: give 1–122 visible ASCII characters`
      })

/** Of whom a definition is; or why it is of nobody. */
export const scopeOf = ({ agent, agentType, template }: StateDefinition): Effect.Effect<string, LogError> => {
  if (agent !== undefined && agentType !== undefined) {
    const problem = "A definition is of an agent, or of a type of agents: give one of both"
    return Effect.fail(logError(new InvalidArgument({ problem })))
  }
  // It is by its type that a new agent is known.
  if (template !== undefined && agentType === undefined) {
    const problem = "A template is what new agents of a type begin with: give agentType with it"
    return Effect.fail(logError(new InvalidArgument({ problem })))
  }
  if (agent !== undefined) {
    const problem = agentProblem(agent)
    return problem === undefined ? Effect.succeed(`agent:${agent}`) : Effect.fail(logError(problem))
  }
  if (agentType === undefined) return Effect.succeed(ALL)
  const problem = typeProblem(agentType)
  return problem === undefined ? Effect.succeed(`type:${agentType}`) : Effect.fail(logError(problem))
}
