import { Schema } from "effect"
import { type EventType, eventType } from "../log/event-type.ts"

/** How patches are applied and states are merged and hashed: what an event was written under, it is read under. */
export const SEMANTICS = 1

const Version = Schema.Int.check(Schema.isGreaterThan(0))

/** A version of a branch. A branch is known by the position of the event that began it: its name may be given again. */
const Node = Schema.Struct({ branch: Schema.Int, version: Version })

/** What is true after an event that changes a state: the RFC 6902 patch from what was before, and the hash of all of it then. */
const change = {
  semantics: Schema.Int,
  patch: Schema.Array(Schema.Unknown),
  hash: Schema.String.check(Schema.isPattern(/^[0-9a-f]{64}$/)),
  /** The event of which this is a part: what is too large for one event is several, the last of which says what it is. */
  partOf: Schema.optionalKey(Schema.String)
}

const text = Schema.String

/** 100 years. */
export const MAX_TTL_MS = 100 * 365.25 * 24 * 3_600_000

/** A time as ISO 8601 writes it, which PostgreSQL can keep, too. */
export const isTime = (time: Date): boolean => {
  const year = time.getUTCFullYear()
  return year >= 1 && year <= MAX_YEAR
}

const MAX_YEAR = 9999

const Time = text.check(
  Schema.makeFilter((time) => isTime(new Date(time)), {
    expected: "a time in the years 1 to 9999, as ISO 8601 writes it"
  })
)

/** The first event of a branch `main`. */
export const StateCreated = eventType(
  "StateCreated",
  Schema.Struct({ ...change, agentType: Schema.optionalKey(text) })
)

/** The first event of every other branch: it begins with the state that another has at a version. */
export const StateBranched = eventType(
  "StateBranched",
  Schema.Struct({
    parent: Schema.Struct({ branch: Schema.Int, name: text, version: Version }),
    hash: change.hash,
    description: Schema.optionalKey(text)
  })
)

export const StateBranchDeleted = eventType("StateBranchDeleted", Schema.Struct({}))

/** With `base`, it was merged with what came after that version. */
export const StateChanged = eventType(
  "StateChanged",
  Schema.Struct({ ...change, base: Schema.optionalKey(Node) })
)

export const StateCommitted = eventType("StateCommitted", Schema.Struct({ message: text, author: text }))

/** What another branch had by a version is in this one. */
export const StateMerged = eventType(
  "StateMerged",
  Schema.Struct({
    ...change,
    merge: text,
    source: Schema.Struct({ branch: Schema.Int, name: text, version: Version }),
    bases: Schema.Array(Node),
    mode: Schema.Literals(["recursive", "fast_forward", "manual"]),
    strategy: text,
    author: Schema.optionalKey(text)
  })
)

/** What another state had of some keys by a version is in this one. */
export const StateSynced = eventType(
  "StateSynced",
  Schema.Struct({
    ...change,
    /** Of all targets the same. */
    sync: text,
    source: Schema.Struct({ branch: Schema.Int, agent: text, name: text, version: Version }),
    strategy: text,
    /** The link that it was done for. */
    link: Schema.optionalKey(text),
    /**
     * The keys of which the source has nothing more by then, whether they were changed here or not, as RFC 6901 pointers; and what is known of
     * other branches from here on, as far as they are concerned: up to which version of which, by its number.
     */
    known: Schema.Array(Schema.Struct({ keys: Schema.Array(text), branches: Schema.Record(text, Version) })),
    /** How many conflicts a rule or the strategy has decided. */
    settled: Schema.Int,
    /** How long it took until this was written, in ms. */
    durationMs: Schema.Int
  })
)

/** What another state had of some keys was not taken over: there are conflicts, or it cannot be done. */
export const StateSyncLeft = eventType(
  "StateSyncLeft",
  Schema.Struct({
    source: Schema.Struct({ branch: Schema.Int, agent: text, name: text, version: Version }),
    target: Schema.Struct({ agent: text, name: text }),
    keys: Schema.Array(text),
    strategy: text,
    link: Schema.optionalKey(text),
    conflicts: Schema.Array(Schema.Record(text, Schema.Json)),
    /** The rules that were given with it, where there were any. */
    rules: Schema.optionalKey(Schema.Array(Schema.Record(text, Schema.Json))),
    /** The name of the error that it failed with. */
    failed: Schema.optionalKey(text),
    durationMs: Schema.Int
  })
)

/** What the versions of a range did is undone. */
export const StateReverted = eventType(
  "StateReverted",
  Schema.Struct({ ...change, from: Node, to: Node, author: Schema.optionalKey(text) })
)

/** The state is again what it was at a version; with `merged`, keys that were not there then stay. */
export const StateRestored = eventType(
  "StateRestored",
  Schema.Struct({
    ...change,
    to: Node,
    checkpoint: Schema.optionalKey(text),
    merged: Schema.Boolean
  })
)

export const StateSessionStarted = eventType(
  "StateSessionStarted",
  Schema.Struct({
    ...change,
    session: text,
    /** How long it lasts from when this is recorded, by the clock of the server. */
    ttlMs: Schema.optionalKey(Schema.Number.check(Schema.isBetween({ minimum: 0, maximum: MAX_TTL_MS })))
  })
)

export const StateSessionEnded = eventType(
  "StateSessionEnded",
  Schema.Struct({ ...change, session: text, why: Schema.Literals(["ended", "expired", "replaced"]) })
)

/**
 * The branch goes on from its last good version: what came after that, from `bad` on, does not count. Whatever is kept ready of it is
 * made anew from the log.
 */
export const StateRepaired = eventType(
  "StateRepaired",
  Schema.Struct({ bad: Schema.optionalKey(Version), good: Version, hash: change.hash, semantics: Schema.Int })
)

/** The branch, or one that it goes back to, began with a version that does not count any more since that branch was repaired. */
export const StateParentRepaired = eventType(
  "StateParentRepaired",
  Schema.Struct({ parent: Schema.Struct({ branch: Schema.Int, name: text }), from: Version, good: Version })
)

/** The events after which what is known of a branch is asked for anew. */
export const REPAIRS: ReadonlySet<string> = new Set([StateRepaired.type, StateParentRepaired.type])

/** Values of versions before this one, which are not named by anything, are not kept ready any more. */
export const StateCompacted = eventType("StateCompacted", Schema.Struct({ before: Version }))

/** The types of event whose `patch` changes a state. */
export const CHANGES: ReadonlyArray<EventType> = [
  StateCreated,
  StateChanged,
  StateMerged,
  StateSynced,
  StateReverted,
  StateRestored,
  StateSessionStarted,
  StateSessionEnded
] as ReadonlyArray<EventType>

export const StateTagged = eventType(
  "StateTagged",
  Schema.Struct({ branch: Schema.Int, name: text, version: Version, commit: Schema.optionalKey(text) })
)

export const StateUntagged = eventType("StateUntagged", Schema.Struct({}))

/**
 * The branch, as it is at this very version, is a restore point. Of several branches at one moment, each has such an event, and the
 * first names them all: its id is that of the checkpoint.
 */
export const StateCheckpointed = eventType(
  "StateCheckpointed",
  Schema.Struct({
    type: text,
    description: Schema.optionalKey(text),
    metadata: Schema.optionalKey(Schema.Record(text, Schema.Json)),
    retention: text,
    expiresAt: Schema.optionalKey(Time),
    /** The id of the checkpoint that this is a part of, where that is not the event's own. */
    partOf: Schema.optionalKey(text),
    parts: Schema.optionalKey(
      Schema.Array(Schema.Struct({ agent: text, name: text, version: Version, event: text }))
    )
  })
)

export const StateCheckpointDropped = eventType(
  "StateCheckpointDropped",
  Schema.Struct({ checkpoint: text, why: Schema.Literals(["expired", "deleted"]) })
)

/** What the states of some agents look like, as JSON Schema, what they begin with, and how changes of them are merged. */
export const StateDefined = eventType(
  "StateDefined",
  Schema.Struct({
    rules: Schema.Array(Schema.Record(text, Schema.Json)),
    /** Rules that resolutions of conflicts were remembered as. */
    remembered: Schema.optionalKey(Schema.Array(Schema.Record(text, Schema.Json))),
    /** When open conflicts are too old, and what becomes of them then. */
    conflicts: Schema.optionalKey(
      Schema.Struct({
        expireAfterMs: Schema.Number,
        use: Schema.optionalKey(Schema.Literals(["ours", "theirs"]))
      })
    ),
    template: Schema.optionalKey(Schema.Record(text, Schema.Json)),
    schema: Schema.optionalKey(Schema.Record(text, Schema.Json))
  })
)

/** A conflict of a merge, as the log keeps it. What is absent is left out. */
const conflict = Schema.Record(text, Schema.Json)

/** A merge of two branches that is not in the target yet: conflicts are open, or somebody is to look at it first. */
export const StateMergeOpened = eventType(
  "StateMergeOpened",
  Schema.Struct({
    agent: text,
    source: Schema.Struct({ branch: Schema.Int, name: text, version: Version }),
    target: Schema.Struct({ branch: Schema.Int, name: text, version: Version }),
    mode: Schema.Literals(["recursive", "manual"]),
    strategy: text,
    rules: Schema.Array(Schema.Record(text, Schema.Json)),
    author: Schema.optionalKey(text),
    conflicts: Schema.Array(conflict),
    /** What the strategy has decided by now. */
    resolutions: Schema.Array(Schema.Record(text, Schema.Json))
  })
)

/** Somebody has decided a conflict. */
export const StateConflictResolved = eventType(
  "StateConflictResolved",
  Schema.Struct({ path: text, conflict, resolution: Schema.Record(text, Schema.Json) })
)

/** A branch has moved since: these are the conflicts now. */
export const StateMergeChecked = eventType(
  "StateMergeChecked",
  Schema.Struct({ version: Version, conflicts: Schema.Array(conflict) })
)

export const StateMergeEnded = eventType(
  "StateMergeEnded",
  Schema.Struct({ status: Schema.Literals(["merged", "aborted"]), version: Schema.optionalKey(Version) })
)

const side = Schema.Struct({ agent: text, name: text })

/** Somebody is to decide a conflict; or nobody in particular. */
export const StateConflictAssigned = eventType(
  "StateConflictAssigned",
  Schema.Struct({ assignee: Schema.optionalKey(text) })
)

/**
 * Somebody has decided a conflict of synchronisations, as it was then: every later one from that source to that target that meets the
 * same conflict again does as it says.
 */
export const StateConflictDecided = eventType(
  "StateConflictDecided",
  Schema.Struct({
    source: side,
    target: side,
    path: text,
    conflict,
    /** What the conflict was, in short: `digest` of the conflict. */
    digest: text,
    resolution: Schema.Record(text, Schema.Json)
  })
)

/** Nobody has decided a conflict in time, or there is none any more. */
export const StateConflictClosed = eventType(
  "StateConflictClosed",
  Schema.Struct({ why: Schema.Literals(["expired", "gone"]), digest: text })
)

/** All types of event that states are made of. */
export const STATE_EVENTS: ReadonlyArray<EventType> = [
  ...CHANGES,
  StateBranched,
  StateBranchDeleted,
  StateCommitted,
  StateRepaired,
  StateParentRepaired,
  StateCompacted,
  StateTagged,
  StateUntagged,
  StateCheckpointed,
  StateCheckpointDropped,
  StateDefined,
  StateMergeOpened,
  StateConflictResolved,
  StateMergeChecked,
  StateMergeEnded,
  StateSyncLeft,
  StateConflictAssigned,
  StateConflictDecided,
  StateConflictClosed
] as ReadonlyArray<EventType>
