import { Effect } from "effect"
import { branchState, type BranchOptions, deleteBranch, type MadeBranch } from "./branching.ts"
import { type ChangeOptions, patchState, updateState } from "./changing.ts"
import type { StateUpdate } from "./given.ts"
import {
  type Commit,
  type CommitOptions,
  commitState,
  type Tag,
  type TagOptions,
  tagState,
  untagState
} from "./marking.ts"
import type { ByWhom, StateFailure, StateScene } from "./parts.ts"
import { type ReadOptions, readState } from "./reading.ts"
import type { RefLike } from "./ref.ts"
import type { Snapshot } from "./snapshot.ts"
import type { Written } from "./writing.ts"

type Doing<A> = Effect.Effect<A, StateFailure>

/**
 * A branch of an agent's state. Every method may also fail with InvalidName, and as the server does; everything that changes
 * something, as `emit` does. `StateCorrupt` says that the log is damaged.
 */
export interface AgentState {
  /**
   * The state now, or as it was at a version, a position, a time, a commit or a tag. Strong: what anybody was told is written, is in it.
   * A state that nobody has written is empty, at version 0. Values are frozen. Fails with InvalidChange (no such tier or path),
   * UnknownBranch, UnknownRef, StateCorrupt.
   */
  readonly read: (options?: ReadOptions) => Doing<Snapshot>
  /**
   * Merges values into tiers, as RFC 7396 has it: objects are merged, null removes, all else takes the place of what was there. On the state
   * as it is then; with `base`, merged with what came since. Fails with InvalidChange, StateConflict, StateInvalid, StateCorrupt, UnknownBranch.
   */
  readonly update: (values: StateUpdate, options?: ChangeOptions) => Doing<Written>
  /** Applies an RFC 6902 patch, all of it or nothing. Fails with PatchRefused, and as `update` does. */
  readonly patch: (operations: ReadonlyArray<unknown>, options?: ChangeOptions) => Doing<Written>
  /** Names the state as it is now. Fails with UnknownBranch. */
  readonly commit: (message: string, options?: CommitOptions) => Doing<Commit>
  /** Gives a version a name; the newest by default. Fails with TagExists, UnknownRef, UnknownBranch. */
  readonly tag: (tag: string, of?: RefLike, options?: TagOptions) => Doing<Tag>
  /** Takes a name away; the version stays. Fails with UnknownRef. */
  readonly untag: (tag: string, options?: ByWhom) => Doing<void>
  /** Makes a branch of this one, in one event, whatever the size of the state. Fails with BranchExists, UnknownBranch, UnknownRef. */
  readonly branch: (name: string, options?: BranchOptions) => Doing<MadeBranch>
  /** Ends a branch; its versions stay. Fails with UnknownBranch, BranchProtected. */
  readonly deleteBranch: (name: string, options?: ByWhom) => Doing<void>
}

/** The methods of a branch of an agent's state, where there is such a one. */
export const agentState = (scene: Effect.Effect<StateScene, StateFailure>): AgentState => {
  const doing = <A>(use: (scene: StateScene) => Doing<A>): Doing<A> => Effect.flatMap(scene, use)
  return {
    read: (options = {}) => doing((of) => readState(of, options)),
    update: (values, options = {}) => doing((of) => updateState(of, values, options)),
    patch: (operations, options = {}) => doing((of) => patchState(of, operations, options)),
    commit: (message, options = {}) => doing((of) => commitState(of, message, options)),
    tag: (tag, of, options = {}) => doing((one) => tagState(one, tag, of, options)),
    untag: (tag, options = {}) => doing((of) => untagState(of, tag, options)),
    branch: (name, options = {}) => doing((of) => branchState(of, name, options)),
    deleteBranch: (name, options = {}) => doing((of) => deleteBranch(of, name, options))
  }
}
