import { Context, type Effect } from "effect"
import type { LogError } from "../log/error.ts"
import type { PostgresError } from "../postgres/error.ts"
import type { ProjectionError } from "../projection/error.ts"

/** Which agents are at work: into the state of one that was stopped nothing is brought. */
export class AgentStanding extends Context.Service<
  AgentStanding,
  {
    /** The category of the streams that say so, each of which has an agent's id. */
    readonly category: string
    /** Until it is known what they say up to a position. */
    readonly caughtUp: (position: number) => Effect.Effect<void, ProjectionError>
    /** Those of some agents that were stopped. */
    readonly stopped: (
      agents: ReadonlyArray<string>
    ) => Effect.Effect<ReadonlySet<string>, LogError | PostgresError | ProjectionError>
  }
>()("tidemark/sync/AgentStanding") {}
