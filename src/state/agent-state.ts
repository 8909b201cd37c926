import { Effect } from "effect"
import { type Blame, blameOf, type BlameOptions } from "./past/blaming.ts"
import { type Checkpoint, type CheckpointOptions, checkpointState } from "./checkpoint/checkpointing.ts"
import { dropCheckpoint } from "./checkpoint/dropping.ts"
import { type Diff, type DiffFormat, diffOf, type DiffOptions } from "./past/comparing.ts"
import { type HistoryEntry, historyOf, type HistoryOptions } from "./past/history.ts"
import { type Verified, verifyState } from "./care/integrity.ts"
import { type Repaired, repairState } from "./care/repairing.ts"
import { type Restorable, type RestoreOptions, restoreState } from "./checkpoint/restoring.ts"
import { revertState, type RevertOptions } from "./past/reverting.ts"
import { endSession, type SessionOptions, startSession } from "./change/sessions.ts"
import { branchState, type BranchOptions, deleteBranch, type MadeBranch } from "./branch/branching.ts"
import { type ChangeOptions, patchState, updateState } from "./change/changing.ts"
import type { StateUpdate } from "./change/given.ts"
import {
  type Commit,
  type CommitOptions,
  commitState,
  type Tag,
  type TagOptions,
  tagState,
  untagState
} from "./past/marking.ts"
import { type Merge, type MergeOptions, mergeState } from "./merging/merging.ts"
import type { ByWhom, StateFailure, StateScene } from "./parts.ts"
import { type ReadOptions, readState } from "./past/reading.ts"
import type { RefLike } from "./past/ref.ts"
import type { Snapshot } from "./past/snapshot.ts"
import type { Written } from "./change/writing.ts"

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
  /**
   * Merges another branch into this one: what one side changed is taken, what both changed is merged by the rules of its path, and what cannot
   * be is a conflict: then the merge is `pending`, and both branches stay as they were. Fails with UnknownBranch, NotFastForward,
   * InvalidRules, ProjectionBehind.
   */
  readonly merge: (branch: string, options?: MergeOptions) => Doing<Merge>
  /**
   * Undoes what a commit, since the commit before it, or any one version did. Fails with StateConflict where that was changed again since,
   * UnknownRef, ProjectionBehind.
   */
  readonly revert: (of: RefLike, options?: RevertOptions) => Doing<Written>
  /** What happened to the state, the newest first, on the branches that this one began with, too. Fails with UnknownRef, InvalidArgument. */
  readonly history: (options?: HistoryOptions) => Doing<ReadonlyArray<HistoryEntry>>
  /** How a version differs from another; from the newest, by default. Fails with UnknownRef, UnknownBranch, ProjectionBehind. */
  readonly diff: <Format extends DiffFormat = "changes">(
    from: RefLike,
    to?: RefLike,
    options?: DiffOptions<Format>
  ) => Doing<Diff<Format>>
  /** Who last changed what lies at a path, an RFC 6901 pointer into a key, when, and why. Fails with InvalidChange, UnknownRef. */
  readonly blame: (path: string, options?: BlameOptions) => Doing<ReadonlyArray<Blame>>
  /** Makes a restore point of the branch as it is. */
  readonly checkpoint: (options?: CheckpointOptions) => Doing<Checkpoint>
  /** Ends a restore point; the version that it named stays. Nothing is done where it has ended already. Fails with UnknownCheckpoint. */
  readonly dropCheckpoint: (checkpoint: string, options?: ByWhom) => Doing<void>
  /**
   * Makes the branch what the state was at a checkpoint, or at any version; with `merge`, keys that were not there then stay. Fails with
   * UnknownCheckpoint, CheckpointExpired, UnknownRef, ProjectionBehind.
   */
  readonly restore: (from: Restorable, options?: RestoreOptions) => Doing<Written>
  /** Begins a session, with an empty session tier; one that was under way ends. Where it has `ttlMs`, it ends by then by itself. */
  readonly startSession: (session: string, options?: SessionOptions) => Doing<Written>
  /** Ends the session, and empties its tier; nothing is done where there is none. Fails with UnknownBranch. */
  readonly endSession: (options?: ByWhom) => Doing<Written>
  /** Follows the log of the branch from its beginning on, and tells where it, or what is kept ready of it, is damaged. */
  readonly verify: () => Doing<Verified>
  /**
   * Mends what `verify` finds: the branch goes on from its last good version, which an event says. What began with a version after that
   * is damaged from its own beginning on: delete it. Fails with ParentCorrupt.
   */
  readonly repair: (options?: ByWhom) => Doing<Repaired>
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
    deleteBranch: (name, options = {}) => doing((of) => deleteBranch(of, name, options)),
    merge: (branch, options = {}) => doing((of) => mergeState(of, branch, options)),
    revert: (of, options = {}) => doing((one) => revertState(one, of, options)),
    history: (options = {}) => doing((of) => historyOf(of, options)),
    diff: (from, to, options = {}) => doing((of) => diffOf(of, from, to, options)),
    blame: (path, options = {}) => doing((of) => blameOf(of, path, options)),
    checkpoint: (options = {}) => doing((of) => checkpointState(of, options)),
    dropCheckpoint: (checkpoint, options = {}) => doing((of) => dropCheckpoint(of, checkpoint, options)),
    restore: (from, options = {}) => doing((of) => restoreState(of, from, options)),
    startSession: (session, options = {}) => doing((of) => startSession(of, session, options)),
    endSession: (options = {}) => doing((of) => endSession(of, options)),
    verify: () => doing(verifyState),
    repair: (options = {}) => doing((of) => repairState(of, options))
  }
}
