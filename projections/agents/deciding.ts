import { Effect } from "effect"
import type { NewEvent } from "../../src/log/event.ts"
import { NotAllowed, projectionError } from "../../src/projection/error.ts"
import type { OperationContext } from "../../src/projection/operation.ts"
import { whoeverIsFaster } from "../outrun.ts"
import { AgentRegistered, AgentRetired, agentStream, RETIRED } from "./events.ts"

interface Standing {
  readonly version: number
  readonly isRetired: boolean
}

/** What says whether an agent is retired. */
const TYPES = [AgentRegistered.type, AgentRetired.type]

/**
 * Appends events to an agent that is not retired: decided on what is in the log, and again where somebody else was faster. Fails with
 * NotAllowed where it is retired.
 */
export const unlessRetired = (
  operation: string,
  agent: string,
  events: ReadonlyArray<NewEvent>,
  { query, emit }: OperationContext
) =>
  whoeverIsFaster(
    Effect.gen(function* () {
      const stream = agentStream(agent)
      const values = [agent, stream, TYPES]
      const [standing] = yield* query<Standing>("#projections/agents/standing.sql", values)
      if (standing!.isRetired) {
        const subject = `agent ${JSON.stringify(agent)}`
        const refused = { operation, subject, status: RETIRED, allowed: ["agents.register"] }
        return yield* projectionError(new NotAllowed(refused))
      }
      return yield* emit(stream, events, { expected: standing!.version })
    })
  )
