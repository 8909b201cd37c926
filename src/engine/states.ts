import { Effect } from "effect"
import type { AgentState } from "../state/agent-state.ts"
import { agentState } from "../state/agent-state.ts"
import type { Checkpoint, CheckpointOptions } from "../state/checkpoint/checkpointing.ts"
import type { Compacted, CompactOptions } from "../state/care/compacting.ts"
import type { Swept } from "../state/care/sweeping.ts"
import type { Diff, DiffFormat, DiffOptions } from "../state/past/comparing.ts"
import type { Defined, StateDefinition } from "../state/definition/definitions.ts"
import type { Merge, MergeOptions } from "../state/merging/merging.ts"
import type { Conflicting } from "../state/error.ts"
import type { StateValues } from "../state/tier.ts"
import type { Resolution } from "../state/merge/resolve.ts"
import { MAIN } from "../state/name.ts"
import type { ByWhom } from "../state/parts.ts"
import type { RefLike } from "../state/past/ref.ts"
import type { ResolveOptions } from "../state/merging/resolving.ts"
import type { StateOptions, States } from "../state/states.ts"
import type { RestoreOptions } from "../state/checkpoint/restoring.ts"
import type { Written } from "../state/change/writing.ts"
import { expireConflicts } from "../sync/conflicts/expiring.ts"
import { detectConflicts, type DetectOptions } from "../sync/sync.ts"
import type { Presence } from "../sync/presence.ts"
import type { ChangeHandler } from "../sync/watch.ts"
import { type EngineConflicts, promisedConflicts } from "./conflicts.ts"
import type { Engine, PromisedOperations } from "./engine.ts"
import type { BoundReadModels } from "./read-models.ts"
import { type WatchContext, type Watching, type WatchOptions, watchState } from "./watching.ts"

type Run = <A>(effect: Effect.Effect<A, unknown, Presence>) => Promise<A>

/** Methods that return promises. */
type Promised<Methods> = {
  readonly [Name in keyof Methods]: Methods[Name] extends (
    ...given: infer Given
  ) => Effect.Effect<infer Output, infer _Error>
    ? (...given: Given) => Promise<Output>
    : Methods[Name]
}

/** What can be done to a merge that waits for somebody. */
export interface PendingMerge {
  readonly merge: string
  /**
   * Decides a conflict; of a whole tier (`constraint`), a value is an object of keys. Rejects with InvalidArgument (no such conflict, or no
   * such resolution), MergeEnded, UnknownMerge.
   */
  readonly resolve: (path: string, resolution: Resolution, options?: ResolveOptions) => Promise<void>
  /**
   * Puts the merge into its target, worked out on the target as it is by then and on the source as it was when the merge was opened. Rejects
   * with MergeUnresolved, where conflicts are open or have come up since, StateInvalid, where a tier that somebody wrote is not what its type
   * declares, MergeEnded, also where the target is another branch of the same name by now, UnknownBranch, UnknownMerge.
   */
  readonly finish: (options?: ByWhom) => Promise<Written>
  /** Gives the merge up. Rejects with MergeEnded, UnknownMerge. */
  readonly abort: (options?: ByWhom) => Promise<void>
}

/** What a merge has come to, and what can be done where it is pending. */
export interface StateMerging extends Merge, PendingMerge {
  readonly merge: string
}

type Operations = PromisedOperations<BoundReadModels["states"]>

/** The lists of what an agent's state has; each sees what this engine has written. */
type Lists = Pick<Operations, "branches" | "tags" | "checkpoints" | "merges">

/** A branch of an agent's state, as promises. */
export interface EngineState extends Omit<Promised<AgentState>, "diff" | "merge"> {
  readonly agent: string
  readonly branchName: string
  /** Another branch of the same agent's state. */
  readonly on: (branch: string) => EngineState
  /** How a version differs from another; from the newest, by default. Rejects with UnknownRef, UnknownBranch, ProjectionBehind. */
  readonly diff: <Format extends DiffFormat = "changes">(
    from: RefLike,
    to?: RefLike,
    options?: DiffOptions<Format>
  ) => Promise<Diff<Format>>
  /**
   * Merges another branch into this one: what one side changed is taken, what both changed is merged by the rules of its path, and what cannot
   * be is a conflict: then the merge is `pending`, and both branches stay as they were. Rejects with UnknownBranch, NotFastForward,
   * InvalidRules, ProjectionBehind.
   */
  readonly merge: (branch: string, options?: MergeOptions) => Promise<StateMerging>
  /** The branches of the state; on request also those that were deleted. */
  readonly branches: (options?: { readonly deleted?: boolean }) => ReturnType<Lists["branches"]>
  readonly tags: () => ReturnType<Lists["tags"]>
  /** The restore points of the state, the newest first; on request also those that are over. */
  readonly checkpoints: (options?: { readonly dropped?: boolean }) => ReturnType<Lists["checkpoints"]>
  readonly merges: (options?: {
    readonly status?: "pending" | "merged" | "aborted"
  }) => ReturnType<Lists["merges"]>
  /**
   * Hands over what changes at some paths, from now on or from a token, event by event and in order. The paths are RFC 6901 pointers, in which
   * `*` is any one part, and `**` any number of parts; each tells of the nearest path at or above a change that it matches, or else of those
   * below. Resolves when it is in force. Rejects with InvalidArgument, UnknownBranch, UnknownRef, StateCorrupt, LogRewound; under a name, as
   * `engine.subscribe` does, too.
   */
  readonly watch: (
    paths: ReadonlyArray<string>,
    handler: ChangeHandler<WatchContext>,
    options?: WatchOptions
  ) => Promise<Watching>
}

/** The states of all agents. */
export interface EngineStates extends Omit<Operations, "find" | "inbox"> {
  /**
   * The agents whose state, on main, holds these values, by name: objects match where they hold the same, arrays where they have such
   * elements. `limit` (100) at a time; the next ones come `after` the last of them. Rejects with InvalidInput.
   */
  readonly find: (
    where: Partial<StateValues>,
    options?: { readonly limit?: number; readonly after?: string }
  ) => ReturnType<Operations["find"]>
  /** A merge that waits for somebody, by its id. */
  readonly merge: (merge: string) => PendingMerge
  /**
   * Lets go of values of old versions that are kept ready and that no tag, checkpoint, branch or merge names; with `dryRun`, only tells of
   * them. Nothing of the log is touched, and every version is read as before, of more patches. Rejects with InvalidArgument.
   */
  readonly compact: (options?: CompactOptions) => Promise<ReadonlyArray<Compacted>>
  /** Ends sessions, checkpoints and conflicts that are over; how many of each. Every engine does so by itself, once a minute. */
  readonly sweep: () => Promise<Swept & { readonly conflicts: number }>
}

/** Several agents, each with a branch of its state. */
export type Agents = ReadonlyArray<string | { readonly agent: string; readonly branch?: string }>

const promised = <Methods extends object>(methods: Methods, run: Run): Promised<Methods> =>
  Object.fromEntries(
    Object.entries(methods).map(([name, method]) => [
      name,
      (...given: ReadonlyArray<unknown>) =>
        run((method as (...all: ReadonlyArray<unknown>) => Effect.Effect<unknown>)(...given))
    ])
  ) as Promised<Methods>

/** States, as promises. */
export class PromisedStates {
  private readonly states: States["Service"]
  private readonly lists: Operations
  private readonly run: Run
  private readonly engine: Pick<Engine, "subscribe">

  constructor(states: States["Service"], lists: Operations, run: Run, engine: Pick<Engine, "subscribe">) {
    this.states = states
    this.lists = lists
    this.run = run
    this.engine = engine
  }

  state(agent: string, options: StateOptions = {}): EngineState {
    const { run, lists, engine } = this
    const scene = this.states.scene(agent, options)
    const methods = promised(agentState(scene), run)
    return {
      ...methods,
      agent,
      branchName: options.branch ?? MAIN,
      on: (branch) => this.state(agent, { ...options, branch }),
      diff: methods.diff as EngineState["diff"],
      merge: async (branch, how) => {
        const merge = await methods.merge(branch, how)
        return { ...merge, ...this.merge(merge.merge) }
      },
      branches: (which = {}) => lists.branches({ agent, ...which }),
      tags: () => lists.tags({ agent }),
      checkpoints: (which = {}) => lists.checkpoints({ agent, ...which }),
      merges: (which = {}) => lists.merges({ agent, ...which }),
      watch: (paths, handler, how = {}) => watchState(engine, scene, run, paths, handler, how)
    }
  }

  get all(): EngineStates {
    const { inbox: _, ...lists } = this.lists
    return {
      ...lists,
      find: (where, options = {}) => this.lists.find({ where, ...options }),
      merge: (merge) => this.merge(merge),
      compact: (options = {}) => this.run(this.states.compact(options)),
      sweep: async () => {
        const swept = await this.run(this.states.sweep)
        return { ...swept, conflicts: await this.run(expireConflicts(this.states)) }
      }
    }
  }

  get conflicts(): EngineConflicts {
    return promisedConflicts(this.states, this.lists.inbox, this.run)
  }

  merge(merge: string): PendingMerge {
    const { run, states } = this
    return {
      merge,
      resolve: (path, resolution, by = {}) => run(states.resolve(merge, path, resolution, by)),
      finish: (by = {}) => run(states.finish(merge, by)),
      abort: (by = {}) => run(states.abort(merge, by))
    }
  }

  define(definition: StateDefinition): Promise<Defined> {
    return this.run(this.states.define(definition))
  }

  checkpoint({ agents, ...options }: CheckpointOptions & { readonly agents: Agents }): Promise<Checkpoint> {
    return this.run(this.states.checkpoint(placesOf(agents), options))
  }

  detectConflicts(options: DetectOptions): Promise<ReadonlyArray<Conflicting>> {
    return this.run(detectConflicts(this.states, options))
  }

  restore(checkpoint: string | { readonly checkpoint: string }, options: RestoreOptions = {}) {
    const id = typeof checkpoint === "string" ? checkpoint : checkpoint.checkpoint
    return this.run(this.states.restore(id, options))
  }
}

const placesOf = (agents: Agents) => agents.map((one) => (typeof one === "string" ? { agent: one } : one))
