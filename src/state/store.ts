import { Context, type Effect } from "effect"
import type { Json } from "../base/json-value.ts"
import type { Meta } from "../log/event.ts"
import type { ProjectionError } from "../projection/error.ts"
import type { PostgresError } from "../postgres/error.ts"
import type { Queryable } from "../postgres/postgres.ts"
import type { Conflicting } from "./error.ts"
import type { Rule } from "./merge/rule.ts"
import { type KeyId, type Tier, TIERS } from "./tier.ts"

/** Which keys of a state are wanted: all of some tiers, and some more. */
export interface Selection {
  readonly tiers: ReadonlyArray<Tier>
  readonly keys: ReadonlyArray<KeyId>
}

export const WHOLE: Selection = { tiers: TIERS, keys: [] }

export const NOTHING: Selection = { tiers: [], keys: [] }

/** What several want together. */
export const unionOf = (selections: ReadonlyArray<Selection>): Selection => ({
  tiers: [...new Set(selections.flatMap(({ tiers }) => tiers))],
  keys: [...new Set(selections.flatMap(({ keys }) => keys))]
})

/** A version of a branch, which is known by the position of the event that began it. */
export interface Node {
  readonly branch: number
  readonly version: number
}

/** From which version on a branch is damaged, and by which version that was repaired. */
export interface Fault {
  readonly version: number
  readonly position: number
  readonly detail: string
  readonly good: number
  readonly repaired: number | null
}

/** A branch as far as it is folded. */
export interface BranchRow {
  readonly branch: number
  readonly agent: string
  readonly name: string
  readonly stream: string
  readonly born: number
  readonly parent: Node | undefined
  readonly version: number
  readonly position: number
  readonly hash: bigint
  readonly faults: ReadonlyArray<Fault>
  readonly agentType: string | undefined
  readonly session: string | undefined
  readonly isDeleted: boolean
}

/** A key as it is at the version that was asked for. */
export interface LoadedKey {
  readonly id: KeyId
  readonly hash: bigint | undefined
  readonly value: Json | undefined
  readonly bytes: number
  /** Where the value is not kept ready: patches, in order, that make it of `value`. */
  readonly patches: ReadonlyArray<ReadonlyArray<unknown>>
}

/** An event of a branch that is not folded yet. */
export interface TailEvent {
  readonly version: number
  readonly position: number
  readonly id: string
  readonly type: string
  readonly data: unknown
  readonly meta: Meta
  readonly recordedAt: number
}

/** When a state came to be as it is: its hash, the event, and the session that it has. */
export interface Moment {
  readonly hash: bigint
  readonly position: number
  readonly recordedAt: number
  readonly session: string | undefined
}

/** The last event of a stream, with which all is said. */
export type LastEvent = Pick<TailEvent, "type" | "data" | "meta" | "version" | "position">

/** An event that was found by its id. */
export interface EventById extends LastEvent {
  readonly stream: string
}

/** An event that led to a state. */
export interface PastEvent extends Omit<TailEvent, "recordedAt"> {
  /** The name of its branch. */
  readonly branch: string
  readonly recordedAt: Date
}

/** What a version knows of other branches, and its place in the log. */
export interface KnownBy {
  readonly vector: ReadonlyMap<number, number>
  readonly order: number
}

/** The same as far as one key is concerned. */
export interface KnownOfKey extends KnownBy {
  /** The branch never met others as a whole: what it knows of them is by synchronisations of its own. */
  readonly isItsOwn: boolean
}

/** A branch that has versions from before some time. */
export interface CompactableBranch {
  readonly branch: number
  readonly agent: string
  readonly name: string
  readonly before: number
}

/** A branch that begins with a version of another, or of one that does. */
export interface Heir {
  readonly stream: string
  /** The version of that other branch. */
  readonly since: number
  readonly isLive: boolean
}

export interface CheckpointStanding {
  /** Why it was ended, where it was. */
  readonly why: string | null
  /** Whether its time is over, by the clock of the server. */
  readonly isOver: boolean
}

export interface Loaded {
  /** The branch that last had the name, if any is folded. */
  readonly branch: BranchRow | undefined
  /** Its stream, where that is known though it is not folded. */
  readonly stream: string | undefined
  readonly keys: ReadonlyArray<LoadedKey>
  /** When the version that was asked for came to be: only where one was. */
  readonly moment: Moment | undefined
  /** What came after that in its stream, up to the version that was asked for. */
  readonly tail: ReadonlyArray<TailEvent>
  /** The key of the agent's hashes, where there is one yet. */
  readonly secret: Buffer | undefined
}

/** What names a version of a stream, or a commit. */
export type Locating =
  | { readonly stream: string; readonly version: number }
  | { readonly stream: string; readonly position: number }
  | { readonly stream: string; readonly time: Date }
  | { readonly commit: string }

/** A version of a branch, and where it is written. */
export interface Located extends Node {
  readonly stream: string
}

/** A conflict of synchronisations, or of a merge, that is or was open. */
export interface InboxConflict {
  readonly id: string
  readonly kind: "sync" | "merge"
  /** `decided`: somebody has, and it is not in the target yet. */
  readonly status: "open" | "decided" | "resolved" | "expired" | "aborted"
  readonly source: string
  readonly sourceBranch: string
  readonly target: string
  readonly targetBranch: string
  readonly path: string
  readonly conflict: Conflicting
  /** The keys that are left because of it, as RFC 6901 pointers. */
  readonly keys: ReadonlyArray<string>
  /** The synchronisation that last found it. */
  readonly sync: string | null
  readonly merge: string | null
  /** The rules that were given with that, before those that are declared. */
  readonly rules: ReadonlyArray<Rule>
}

/** A conflict that is open for longer than was declared, and what decides it then. */
export interface ExpiredConflict {
  readonly id: string
  /** As PostgreSQL writes it, to the microsecond. */
  readonly openedAt: string
  readonly use: "ours" | "theirs" | null
}

/** What is asked for: a branch by its stream, or by its number. */
export type Wanted = { readonly stream: string; readonly agent: string } | { readonly branch: number }

/** The connection of a transaction, where states are read within one: that must not wait for another while it has this. */
export const LentConnection = Context.Reference<Queryable | undefined>("tidemark/state/LentConnection", {
  defaultValue: () => undefined
})

/** Where states are kept ready to be read: by whatever connection there is, or the one that is lent. */
export class StateStore extends Context.Service<
  StateStore,
  {
    /** Everything of one moment, in one round trip. */
    readonly load: (
      wanted: Wanted,
      selection: Selection,
      upTo?: number,
      connection?: Queryable
    ) => Effect.Effect<Loaded, PostgresError>
    /** What came in a stream after a version; as few bytes as there are. */
    readonly tail: (
      stream: string,
      after: number,
      connection?: Queryable
    ) => Effect.Effect<{ readonly head: number; readonly events: ReadonlyArray<TailEvent> }, PostgresError>
    /** Undefined where there is no such version. */
    readonly locate: (what: Locating) => Effect.Effect<Located | undefined, PostgresError>
    /** The last events of those of some streams that have any. */
    readonly lasts: (
      streams: ReadonlyArray<string>
    ) => Effect.Effect<ReadonlyMap<string, LastEvent>, PostgresError>
    /** Until everything up to a position is kept ready. Fails with ProjectionBehind or ProjectionStopped. */
    readonly caughtUp: (position: number) => Effect.Effect<void, ProjectionError>
    /** Whether everything up to a position is kept ready, or is in a moment: for what is better known, and done without. */
    readonly isSoonCaughtUp: (position: number) => Effect.Effect<boolean>
    /** The keys that may differ between two versions, where the beginnings of their branches are kept ready. */
    readonly changedKeys: (one: Node, other: Node) => Effect.Effect<ReadonlyArray<KeyId>, PostgresError>
    /** The events that changed a key of a version, the newest first. */
    readonly keyHistory: (
      node: Node,
      key: KeyId,
      most: number,
      before?: number
    ) => Effect.Effect<ReadonlyArray<PastEvent>, PostgresError>
    /** The events that led to a version, the newest first. */
    readonly history: (
      node: Node,
      most: number,
      before?: number
    ) => Effect.Effect<ReadonlyArray<PastEvent>, PostgresError>
    /** Up to which version of which branches versions know others, by the last beginning or merge before each. */
    readonly known: (nodes: ReadonlyArray<Node>) => Effect.Effect<ReadonlyArray<KnownBy>, PostgresError>
    /**
     * The same as far as one key of each is concerned, which may have been synchronised by itself, where the beginnings of their branches are
     * kept ready. Not `isAll` where more is known once that is folded.
     */
    readonly knownOfKeys: (
      nodes: ReadonlyArray<Node & { readonly key: KeyId }>
    ) => Effect.Effect<{ readonly known: ReadonlyArray<KnownOfKey>; readonly isAll: boolean }, PostgresError>
    /** The keys of some tiers that a branch has removed by a version, and maybe others that it has. */
    readonly goneKeys: (
      node: Node,
      tiers: ReadonlyArray<Tier>
    ) => Effect.Effect<ReadonlyArray<KeyId>, PostgresError>
    /** Whether any key of these branches, or of those that they know of, was ever synchronised. */
    readonly hasSynced: (nodes: ReadonlyArray<Node>) => Effect.Effect<boolean, PostgresError>
    /** The first version and the last of the change that a version is a part of: what is too large for one event is several. */
    readonly wholeChange: (node: Node) => Effect.Effect<readonly [first: Node, last: Node], PostgresError>
    /** The version before one; undefined before the first of all. */
    readonly before: (node: Node) => Effect.Effect<Node | undefined, PostgresError>
    /** The last commit before a version, or the very beginning. */
    readonly commitBefore: (node: Node) => Effect.Effect<Node | undefined, PostgresError>
    /** The branches that begin with versions of one after a version and before another, and those that begin with one of these. */
    readonly heirs: (
      branch: number,
      after: number,
      before: number
    ) => Effect.Effect<ReadonlyArray<Heir>, PostgresError>
    /** Where a branch begins. */
    readonly beginningOf: (
      branch: number
    ) => Effect.Effect<{ readonly stream: string; readonly version: number } | undefined, PostgresError>
    /** The next events of a stream after a version, up to another; none where that is reached. */
    readonly page: (
      stream: string,
      after: number,
      upTo: number
    ) => Effect.Effect<ReadonlyArray<TailEvent>, PostgresError>
    /** An event of a state by its id. */
    readonly byId: (id: string) => Effect.Effect<EventById | undefined, PostgresError>
    /** How a checkpoint that was made in a stream stands, by the log. */
    readonly checkpointStanding: (
      checkpoint: string,
      stream: string,
      expiresAt: string | undefined
    ) => Effect.Effect<CheckpointStanding, PostgresError>
    /** The branches that have versions from before a time, and which is the first that is not. */
    readonly compactableBranches: (
      agent: string | undefined,
      time: Date,
      most: number,
      after: number
    ) => Effect.Effect<ReadonlyArray<CompactableBranch>, PostgresError>
    /** How many values of versions of a branch before one may be let go of, and how many bytes of them. */
    readonly compactable: (
      branch: number,
      before: number
    ) => Effect.Effect<{ readonly values: number; readonly bytes: number }, PostgresError>
    /** Ends what is over, so much at most of each kind; how much that was. */
    readonly endExpired: (
      most: number
    ) => Effect.Effect<{ readonly sessions: number; readonly checkpoints: number }, PostgresError>
    /** A conflict of the inbox, as far as it is kept ready. */
    readonly conflict: (id: string) => Effect.Effect<InboxConflict | undefined, PostgresError>
    /** Conflicts whose time is over, the oldest first, as far as they are kept ready. */
    readonly expiredConflicts: (
      most: number,
      after?: Pick<ExpiredConflict, "id" | "openedAt">
    ) => Effect.Effect<ReadonlyArray<ExpiredConflict>, PostgresError>
    /** Holds a stream to the end of the transaction: nobody else appends to it. */
    readonly lock: (stream: string, connection: Queryable) => Effect.Effect<void, PostgresError>
    /** The key of an agent's hashes; made where there is none. */
    readonly secret: (agent: string) => Effect.Effect<Buffer, PostgresError>
  }
>()("tidemark/state/StateStore") {}
