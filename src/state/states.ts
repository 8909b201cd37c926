import { Context, Effect, Layer } from "effect"
import { EventLog } from "../log/event-log.ts"
import { InvalidArgument, type LogError, logError } from "../log/error.ts"
import { LogIdentity } from "../log/identity.ts"
import type { Transaction } from "../log/transaction.ts"
import type { PostgresError } from "../postgres/error.ts"
import { Branches } from "./branch/branches.ts"
import { type Checkpoint, type CheckpointOptions, checkpointTogether } from "./checkpoint/checkpointing.ts"
import { compact, type Compacted, type CompactOptions } from "./care/compacting.ts"
import { type Defined, Definitions, type StateDefinition } from "./definition/definitions.ts"
import { STATE_EVENTS } from "./event.ts"
import { branchName, Loader } from "./branch/loader.ts"
import { PastValues } from "./branch/past-values.ts"
import { agentProblem, MAIN, refProblem } from "./name.ts"
import type { Resolution } from "./merge/resolve.ts"
import type { ByWhom, StateFailure, StateParts, StateScene } from "./parts.ts"
import { Refs } from "./past/refs.ts"
import { finishMerge } from "./merging/finishing.ts"
import { abortMerge, resolveConflict, type ResolveOptions } from "./merging/resolving.ts"
import { type RestoreOptions, restoreTogether } from "./checkpoint/restoring.ts"
import { StateStore } from "./store.ts"
import { sweep, type Swept } from "./care/sweeping.ts"
import { StatesWithin } from "./change/within.ts"
import type { Written } from "./change/writing.ts"

/** How often what is over is ended, in ms. */
const SWEEP_EVERY_MS = 60_000

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
    /** Several branches as they are at one moment. Fails as `checkpoint` of one does. */
    readonly checkpoint: (
      places: ReadonlyArray<{ readonly agent: string; readonly branch?: string }>,
      options?: CheckpointOptions
    ) => Effect.Effect<Checkpoint, StateFailure>
    /** Every branch that a checkpoint names, in one append. Fails with UnknownCheckpoint or CheckpointExpired. */
    readonly restore: (
      checkpoint: string,
      options?: RestoreOptions
    ) => Effect.Effect<
      ReadonlyArray<Written & { readonly agent: string; readonly branch: string }>,
      StateFailure
    >
    /** What states of some agents look like, and how they are merged. Fails with InvalidRules, InvalidArgument, InvalidName. */
    readonly define: (definition: StateDefinition) => Effect.Effect<Defined, StateFailure>
    /** Decides a conflict of a merge that is pending. */
    readonly resolve: (
      merge: string,
      path: string,
      resolution: Resolution,
      by?: ResolveOptions
    ) => Effect.Effect<void, StateFailure>
    /** Puts a merge of which all conflicts are decided into its target: the source as it was when the merge was opened. */
    readonly finish: (merge: string, by?: ByWhom) => Effect.Effect<Written, StateFailure>
    /** Gives a merge up. */
    readonly abort: (merge: string, by?: ByWhom) => Effect.Effect<void, StateFailure>
    /** Lets go of values of old versions that nothing names; or only tells of them. */
    readonly compact: (options?: CompactOptions) => Effect.Effect<ReadonlyArray<Compacted>, StateFailure>
    /** Ends sessions and checkpoints that are over. */
    readonly sweep: Effect.Effect<Swept, StateFailure>
    /** A transaction of the log's, in which states may be changed, too, by `StatesWithin`. */
    readonly transaction: <A, E, R>(
      use: (tx: Transaction) => Effect.Effect<A, E, R>
    ) => Effect.Effect<A, E | LogError | PostgresError, R>
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
      const refs = new Refs(store, loader, identity, log)
      const definitions = new Definitions(log, store, identity)
      const parts: StateParts = {
        definitions,
        log,
        store,
        identity,
        loader,
        branches,
        past: new PastValues(),
        refs,
        named: branchName
      }
      const sceneOf: States["Service"]["scene"] = (agent, { branch = MAIN, type } = {}) => {
        const problem = agentProblem(agent) ?? refProblem("branch", branch)
        return problem === undefined
          ? Effect.succeed({ parts, name: branchName(agent, branch), agentType: type })
          : Effect.fail(logError(problem))
      }
      // A standby, or a role that may only read, leaves that to others.
      yield* Effect.forkScoped(
        Effect.forever(Effect.andThen(Effect.sleep(SWEEP_EVERY_MS), Effect.ignore(sweep(parts))))
      )
      return States.of({
        parts,
        scene: sceneOf,
        checkpoint: (places, options = {}) =>
          Effect.flatMap(
            Effect.forEach(places, ({ agent, branch }) =>
              sceneOf(agent, branch === undefined ? {} : { branch })
            ),
            (scenes) => checkpointTogether(scenes, options)
          ),
        restore: (checkpoint, options = {}) => restoreTogether(parts, checkpoint, options),
        define: (definition) => definitions.define(definition),
        resolve: (merge, path, resolution, by = {}) => resolveConflict(parts, merge, path, resolution, by),
        finish: (merge, by = {}) => finishMerge(parts, merge, by),
        abort: (merge, by = {}) => abortMerge(parts, merge, by),
        transaction: (use) => {
          let within: StatesWithin | undefined
          const noting = (tx: Transaction) => {
            within = new StatesWithin(tx)
            return use(tx)
          }
          // Own writes are in cached reads: what is known is of before.
          return Effect.ensuring(
            log.transaction(noting),
            Effect.sync(() => within?.forget())
          )
        },
        compact: (options = {}) => compact(parts, options),
        sweep: sweep(parts)
      })
    })
  )
}
