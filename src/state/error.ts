import { Schema } from "effect"
import { clause } from "../base/clause.ts"

const what = { agent: Schema.String, branch: Schema.String }

const named = ({ agent, branch }: { readonly agent: string; readonly branch: string }): string =>
  `branch ${JSON.stringify(branch)} of the state of ${JSON.stringify(agent)}`

/** A change of a state is none: nothing was changed. */
export class InvalidChange extends Schema.TaggedError<InvalidChange>()("InvalidChange", {
  ...what,
  /** Where in the change, as an RFC 6901 pointer. */
  path: Schema.String,
  problem: Schema.String
}) {
  override get message(): string {
    const where = this.path === "" ? "" : ` at ${this.path}`
    return `A change for ${named(this)} cannot be made: ${clause(this.problem)}${where}. Nothing was changed.`
  }
}

/** An operation of an RFC 6902 patch cannot be done on the state as it is, or its `test` does not hold: nothing of the patch was done. */
export class PatchRefused extends Schema.TaggedError<PatchRefused>()("PatchRefused", {
  ...what,
  /** Which operation, from 0. */
  index: Schema.Int,
  path: Schema.String,
  kind: Schema.String,
  problem: Schema.String,
  version: Schema.Int
}) {
  override get message(): string {
    return `Operation ${this.index} (${this.path}) of a patch for ${named(this)} cannot be done at version ${this.version}: ${clause(this.problem)}. Nothing of the patch was done; read the state and make the patch anew, or give the base that it was made on.`
  }
}

/** A path that was changed here and since the base, to different values. Absent values are left out. */
export const Conflicting = Schema.Struct({
  /** Of a synchronisation: names it in the inbox. */
  id: Schema.optionalKey(Schema.String),
  path: Schema.String,
  kind: Schema.String,
  base: Schema.optionalKey(Schema.Json),
  ours: Schema.optionalKey(Schema.Json),
  theirs: Schema.optionalKey(Schema.Json),
  /** Who last changed what is there now, and why; and who wants to change it, and why. */
  oursBy: Schema.optionalKey(Schema.String),
  oursBecause: Schema.optionalKey(Schema.String),
  theirsBy: Schema.optionalKey(Schema.String),
  theirsBecause: Schema.optionalKey(Schema.String),
  changed: Schema.optionalKey(Schema.Array(Schema.String)),
  hint: Schema.optionalKey(Schema.Json),
  /** Of a `constraint`: what is wrong with the tier that would come out; neither side is at fault alone, and no values are told. */
  problem: Schema.optionalKey(Schema.String),
  /** The most special rule of its path, which did not fit, or left it open; where there is none, nobody has declared any. */
  rule: Schema.optionalKey(Schema.Json),
  /**
   * The SHA-256 of what it is about: of a `constraint`, that tier as canonical JSON; of a synchronisation, its kind, its values, and where both
   * last met. Where another one would come out, it is to be decided anew.
   */
  digest: Schema.optionalKey(Schema.String)
})
export type Conflicting = typeof Conflicting.Type

/** What was changed since the base cannot be brought together with this change: nothing was changed. */
export class StateConflict extends Schema.TaggedError<StateConflict>()("StateConflict", {
  ...what,
  base: Schema.Int,
  version: Schema.Int,
  conflicts: Schema.Array(Conflicting)
}) {
  override get message(): string {
    const paths = this.conflicts.map(({ path }) => path).join(", ")
    return `A change for ${named(this)}, made on version ${this.base}, conflicts with what came until version ${this.version}, at ${paths}. Nothing was changed; read the state, decide, and change it anew, or declare rules for these paths.`
  }
}

/** A state would not be what its type declares: nothing was changed. */
export class StateInvalid extends Schema.TaggedError<StateInvalid>()("StateInvalid", {
  ...what,
  tier: Schema.String,
  problem: Schema.String
}) {
  override get message(): string {
    return `The ${this.tier} tier of ${named(this)} would not be what its type declares: ${clause(this.problem)}. Nothing was changed.`
  }
}

/** The log and the hashes in it disagree from a version on. */
export class StateCorrupt extends Schema.TaggedError<StateCorrupt>()("StateCorrupt", {
  ...what,
  /** The version, and the position, of the first event that is not what it was. */
  version: Schema.Int,
  position: Schema.Int,
  lastGood: Schema.Int,
  detail: Schema.String
}) {
  override get message(): string {
    return `Version ${this.version} of ${named(this)} (event ${this.position}) is damaged: ${clause(this.detail)}. It can be read up to version ${this.lastGood}; find out what happened to the log, then repair() goes on from there.`
  }
}

/** A branch began with a damaged version of another one: it has no good version of its own to go on from. */
export class ParentCorrupt extends Schema.TaggedError<ParentCorrupt>()("ParentCorrupt", {
  ...what,
  /** The branch that is damaged, and with which version of it this one, or one between them, begins. */
  parent: Schema.String,
  from: Schema.Int,
  /** Of the parent, as StateCorrupt has them. */
  version: Schema.Int,
  position: Schema.Int,
  lastGood: Schema.Int,
  detail: Schema.String
}) {
  override get message(): string {
    return `The ${named(this)} cannot be repaired: it begins with version ${this.from} of ${JSON.stringify(this.parent)}, which is damaged from version ${this.version} (event ${this.position}) on: ${clause(this.detail)}. Repair ${JSON.stringify(this.parent)} first, which goes on from version ${this.lastGood}; then make this branch anew from there.`
  }
}

export class UnknownBranch extends Schema.TaggedError<UnknownBranch>()("UnknownBranch", what) {
  override get message(): string {
    return `There is no ${named(this)}. Make it with branch(), or look in branches() for those there are.`
  }
}

export class BranchExists extends Schema.TaggedError<BranchExists>()("BranchExists", what) {
  override get message(): string {
    return `There is a ${named(this)} already. Take another name, or delete that one first.`
  }
}

export class BranchProtected extends Schema.TaggedError<BranchProtected>()("BranchProtected", what) {
  override get message(): string {
    return `The ${named(this)} cannot be deleted: every agent has it. Delete another branch, or restore an earlier version of this one.`
  }
}

/** A version, commit, tag, position or time that names nothing in a state. */
export class UnknownRef extends Schema.TaggedError<UnknownRef>()("UnknownRef", {
  ...what,
  ref: Schema.String,
  detail: Schema.String
}) {
  override get message(): string {
    return `${clause(this.ref)} names nothing in ${named(this)}: ${clause(this.detail)}. Look in history(), tags() and branches() for what there is.`
  }
}

export class TagExists extends Schema.TaggedError<TagExists>()("TagExists", {
  agent: Schema.String,
  tag: Schema.String
}) {
  override get message(): string {
    return `The state of ${JSON.stringify(this.agent)} has a tag ${JSON.stringify(this.tag)} already. Take another name, or move it with { move: true }.`
  }
}

export class UnknownCheckpoint extends Schema.TaggedError<UnknownCheckpoint>()("UnknownCheckpoint", {
  checkpoint: Schema.String,
  detail: Schema.String
}) {
  override get message(): string {
    return `Checkpoint ${this.checkpoint} cannot be restored: ${clause(this.detail)}. Nothing was changed; look in checkpoints() for those there are.`
  }
}

export class CheckpointExpired extends Schema.TaggedError<CheckpointExpired>()("CheckpointExpired", {
  checkpoint: Schema.String,
  expiredAt: Schema.String
}) {
  override get message(): string {
    return `Checkpoint ${this.checkpoint} expired at ${this.expiredAt}. Nothing was changed; the versions that it named can still be read and restored by number.`
  }
}

export class UnknownMerge extends Schema.TaggedError<UnknownMerge>()("UnknownMerge", {
  merge: Schema.String
}) {
  override get message(): string {
    return `There is no merge ${this.merge} in this log. Look in merges() for those there are.`
  }
}

/** A merge cannot be finished: conflicts are open, or came up since it was begun. */
export class MergeUnresolved extends Schema.TaggedError<MergeUnresolved>()("MergeUnresolved", {
  merge: Schema.String,
  paths: Schema.Array(Schema.String),
  /** These came up because a branch has moved since. */
  isChecked: Schema.Boolean
}) {
  override get message(): string {
    const why = this.isChecked ? "came up because a branch has moved since" : "are open"
    return `Merge ${this.merge} cannot be finished: conflicts at ${this.paths.join(", ")} ${why}. Both branches are as they were; resolve these, then finish it.`
  }
}

export class MergeEnded extends Schema.TaggedError<MergeEnded>()("MergeEnded", {
  merge: Schema.String,
  status: Schema.String
}) {
  override get message(): string {
    return `Merge ${this.merge} is over (${this.status}). Begin another one.`
  }
}

/** There is no such conflict in the inbox. */
export class UnknownConflict extends Schema.TaggedError<UnknownConflict>()("UnknownConflict", {
  conflict: Schema.String
}) {
  override get message(): string {
    return `There is no conflict ${this.conflict} of synchronisations or merges in this log. Look in conflicts.list() for those there are.`
  }
}

/** A conflict is not open any more: somebody was faster, or its time is over. */
export class ConflictEnded extends Schema.TaggedError<ConflictEnded>()("ConflictEnded", {
  conflict: Schema.String,
  path: Schema.String,
  /** What it is by now: `decided`, `resolved`, `expired` or `aborted`. */
  status: Schema.String
}) {
  override get message(): string {
    return `The conflict ${this.conflict} at ${this.path} is not open any more (${this.status}). Nothing was changed; conflicts.get() tells by whom and why.`
  }
}

/** What a conflict was about has changed since: nobody has seen what would be decided. */
export class ConflictMoved extends Schema.TaggedError<ConflictMoved>()("ConflictMoved", {
  conflict: Schema.String,
  path: Schema.String,
  /** There is no conflict any more: the next synchronisation takes the key over. */
  isGone: Schema.Boolean
}) {
  override get message(): string {
    const now = this.isGone
      ? "and there is none any more. Synchronise again"
      : "and is about other values now. Look at it again with conflicts.get(), and decide that"
    return `The conflict ${this.conflict} at ${this.path} is not what it was, ${now}. The target is as it was.`
  }
}

export class NotFastForward extends Schema.TaggedError<NotFastForward>()("NotFastForward", {
  agent: Schema.String,
  source: Schema.String,
  target: Schema.String
}) {
  override get message(): string {
    return `Branch ${JSON.stringify(this.target)} of the state of ${JSON.stringify(this.agent)} has changes that ${JSON.stringify(this.source)} does not have. Nothing was changed; merge with mode "recursive".`
  }
}

/** The agent was stopped: nothing is brought into its state. */
export class AgentStopped extends Schema.TaggedError<AgentStopped>()("AgentStopped", {
  agent: Schema.String
}) {
  override get message(): string {
    return `The agent ${JSON.stringify(this.agent)} was stopped, so nothing was brought into its state. Leave it out, or register it again when it is back.`
  }
}

export class UnknownLink extends Schema.TaggedError<UnknownLink>()("UnknownLink", {
  link: Schema.String
}) {
  override get message(): string {
    return `There is no link ${this.link} in this log. Look in links.list() for those there are.`
  }
}

export class LinkEnded extends Schema.TaggedError<LinkEnded>()("LinkEnded", {
  link: Schema.String
}) {
  override get message(): string {
    return `Link ${this.link} is over. Make another one with link().`
  }
}

export class InvalidRules extends Schema.TaggedError<InvalidRules>()("InvalidRules", {
  problem: Schema.String
}) {
  override get message(): string {
    return `The rules for merges are not understood: ${clause(this.problem)}. Nothing was declared; mend them and declare them again.`
  }
}

export const StateReason = Schema.Union([
  InvalidChange,
  PatchRefused,
  StateConflict,
  StateInvalid,
  StateCorrupt,
  ParentCorrupt,
  UnknownBranch,
  BranchExists,
  BranchProtected,
  UnknownRef,
  TagExists,
  UnknownCheckpoint,
  CheckpointExpired,
  UnknownMerge,
  MergeUnresolved,
  MergeEnded,
  UnknownConflict,
  ConflictEnded,
  ConflictMoved,
  NotFastForward,
  InvalidRules,
  AgentStopped,
  UnknownLink,
  LinkEnded
])
export type StateReason = typeof StateReason.Type

/** What went wrong with an agent's state; `reason` says which of the things that can. */
export class StateError extends Schema.TaggedError<StateError>()("StateError", { reason: StateReason }) {
  override get message(): string {
    return this.reason.message
  }
}

export const stateError = (reason: StateReason): StateError => new StateError({ reason })
