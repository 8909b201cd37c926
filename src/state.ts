/**
 * What the states of agents are made of: the types of what their methods take and give, and the errors that these reject with.
 *
 * ```ts
 * import { type EngineState, StateConflict } from "tidemark/state"
 * ```
 */
export type { EngineConflicts } from "./engine/conflicts.ts"
export type { Agents, EngineState, EngineStates, PendingMerge, StateMerging } from "./engine/states.ts"
export type { Json, JsonObject } from "./base/json-value.ts"
export type { PatchOperation } from "./base/patch-operation.ts"
export type { Blame, BlameOptions } from "./state/past/blaming.ts"
export type { BranchOptions, MadeBranch } from "./state/branch/branching.ts"
export type { ChangeOptions } from "./state/change/changing.ts"
export type { Checkpoint, CheckpointOptions } from "./state/checkpoint/checkpointing.ts"
export type { Compacted, CompactOptions } from "./state/care/compacting.ts"
export type { Diff, DiffFormat, DiffOptions, ValueChange } from "./state/past/comparing.ts"
export type { ConflictPolicy } from "./state/definition/conflict-policy.ts"
export type { Defined, StateDefinition } from "./state/definition/definitions.ts"
export type { EngineLink, EngineLinks, SyncQueue } from "./engine/linking.ts"
export {
  AgentStopped,
  BranchExists,
  BranchProtected,
  CheckpointExpired,
  ConflictEnded,
  ConflictMoved,
  type Conflicting,
  InvalidChange,
  InvalidRules,
  LinkEnded,
  MergeEnded,
  MergeUnresolved,
  NotFastForward,
  ParentCorrupt,
  PatchRefused,
  StateConflict,
  StateCorrupt,
  StateInvalid,
  TagExists,
  UnknownBranch,
  UnknownCheckpoint,
  UnknownConflict,
  UnknownLink,
  UnknownMerge,
  UnknownRef
} from "./state/error.ts"
export type { StateUpdate } from "./state/change/given.ts"
export type { HistoryEntry, HistoryOptions } from "./state/past/history.ts"
export type { Verified } from "./state/care/integrity.ts"
export type { Repaired } from "./state/care/repairing.ts"
export type { Commit, CommitOptions, Tag, TagOptions } from "./state/past/marking.ts"
export type { Conflict, ConflictKind, Note, PossibleMove } from "./state/merge/conflict.ts"
export type { Resolution } from "./state/merge/resolve.ts"
export type { ArrayStrategy, NumberStrategy, Rule, Settings } from "./state/merge/rule.ts"
export type { Resolver, Strategy } from "./state/merge/settle.ts"
export type { Merge, MergeOptions } from "./state/merging/merging.ts"
export type { ByWhom } from "./state/parts.ts"
export type { ReadOptions } from "./state/past/reading.ts"
export type { Ref, RefLike } from "./state/past/ref.ts"
export type { ResolveOptions } from "./state/merging/resolving.ts"
export type { Restorable, RestoreOptions } from "./state/checkpoint/restoring.ts"
export type { RevertOptions } from "./state/past/reverting.ts"
export type { SessionOptions } from "./state/change/sessions.ts"
export type { Snapshot } from "./state/past/snapshot.ts"
export type { StateOptions } from "./state/states.ts"
export type { Fault } from "./state/store.ts"
export { type StateValues, type Tier, TIERS } from "./state/tier.ts"
export type { Written } from "./state/change/writing.ts"
export type { SeenWithin, WrittenWithin } from "./state/change/within.ts"
export type { TxState } from "./engine/tx.ts"
export type { WatchContext, Watching, WatchOptions } from "./engine/watching.ts"
export type { DecideOptions, Resolved } from "./sync/conflicts/deciding.ts"
export type { Remember } from "./sync/conflicts/remembering.ts"
export type { PathChange } from "./sync/path-changes.ts"
export type { LinkMember } from "./sync/link/event.ts"
export type { Link, LinkStatus, LinkStrategy } from "./sync/link/link.ts"
export type { LinkChange } from "./sync/link/links.ts"
export type { LinkOptions } from "./sync/link/wanted.ts"
export type { WorkList } from "./sync/queue/queue.ts"
export type { RetriedSynced, RetriedSyncOptions, RetriedTarget } from "./sync/queue/retrying.ts"
export type {
  BrokenTarget,
  Priority,
  QueuedWork,
  QueueStanding,
  WorkFailure,
  WorkState
} from "./sync/queue/work.ts"
export type { DetectOptions, Place, Synced, SyncedTarget, SyncKeys, SyncOptions } from "./sync/sync.ts"
export type { ChangeHandler } from "./sync/watch.ts"
export type { Attendance, Attendant, PresenceFilter } from "./sync/presence.ts"
export type { StateChange } from "./sync/state-change.ts"
/** What the lists of states give. */
export type {
  StateBranch,
  StateCheckpoint,
  StateConflictRow,
  StateMerge,
  StateTag
} from "../projections/states/operations.ts"
export type { StateLink } from "../projections/links/operations.ts"
export type { InboxEntry } from "../projections/states/inbox-operations.ts"
export type { StateSync } from "../projections/states/sync-operations.ts"
