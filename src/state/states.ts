import { Context, Effect, Layer } from "effect"
import { EventLog } from "../log/event-log.ts"
import { InvalidArgument, type LogError, logError } from "../log/error.ts"
import { LogIdentity } from "../log/identity.ts"
import { Branches } from "./branches.ts"
import { STATE_EVENTS } from "./event.ts"
import { branchName, Loader } from "./loader.ts"
import { agentProblem, MAIN, refProblem } from "./name.ts"
import type { StateParts, StateScene } from "./parts.ts"
import { Refs } from "./refs.ts"
import { StateStore } from "./store.ts"

export interface StateOptions {
  /** Default: `main`. */
  readonly branch?: string
  /** What the agent is: names the definition of its state, where there is one. Counts where the state is made. */
  readonly type?: string
}

/** The states of agents. */
export class States extends Context.Service<
  States,
  {
    /** What the methods of a branch of an agent's state work with. Fails with InvalidName. */
    readonly scene: (agent: string, options?: StateOptions) => Effect.Effect<StateScene, LogError>
    readonly parts: StateParts
  }
>()("tidemark/state/States") {
  static readonly layer: Layer.Layer<States, LogError, EventLog | LogIdentity | StateStore> = Layer.effect(
    States,
    Effect.gen(function* () {
      const log = yield* EventLog
      const identity = yield* LogIdentity
      const store = yield* StateStore
      const scope = yield* Effect.scope
      const twice = log.types.declare(STATE_EVENTS)
      if (twice !== undefined)
        return yield* logError(
          new InvalidArgument({
            problem: `The type ${JSON.stringify(twice)} is declared twice: it is one of the states' own`
          })
        )
      const loader = new Loader(store)
      const branches = new Branches({ log, store, identity, loader, scope })
      const refs = new Refs(store, loader, identity)
      const parts: StateParts = { log, store, identity, loader, branches, refs, named: branchName }
      return States.of({
        parts,
        scene: (agent, { branch = MAIN, type } = {}) => {
          const problem = agentProblem(agent) ?? refProblem("branch", branch)
          return problem === undefined
            ? Effect.succeed({ parts, name: branchName(agent, branch), agentType: type })
            : Effect.fail(logError(problem))
        }
      })
    })
  )
}
