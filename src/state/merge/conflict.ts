import type { MaybeJson } from "../../base/json-value.ts"
import type { Path } from "../../base/pointer.ts"
import type { Rule } from "./rule.ts"

/**
 * What two sides disagree about. Ours is the target of the merge, theirs the source.
 * - `add_add`: both added, and not the same.
 * - `delete_modify`: ours deleted what theirs changed; `modify_delete`: the other way round.
 * - `type_change`: both changed it, and their kinds differ from each other; `modify_modify`: their kinds are one.
 * - `constraint`: what came out of a merge breaks a rule of its schema. A merge by itself raises none of these.
 */
export type ConflictKind =
  | "add_add"
  | "delete_modify"
  | "modify_delete"
  | "type_change"
  | "modify_modify"
  | "constraint"

/** The only thing that one side added that equals what it deleted at the conflict. */
export interface PossibleMove {
  readonly kind: "possible_move"
  readonly from: string
  readonly to: string
}

/** A place in an array as it was merged: before the element of this index, and there in the order of the ranks. */
export interface Gap {
  readonly index: number
  readonly rank: number
}

export interface Conflict {
  /**
   * An RFC 6901 pointer from the root of the state. A part for an element of a keyed array is the element's key as
   * canonical JSON: `/shared/tasks/{"id":7}/title`. A deletion is named at the highest path deleted.
   */
  readonly path: string
  readonly kind: ConflictKind
  readonly base: MaybeJson
  readonly ours: MaybeJson
  readonly theirs: MaybeJson
  /** The bases of the merge disagree somewhere here: `base` is left out then, which does not say that there was none. */
  readonly baseUnknown?: true
  /** The most special rule of its path: what it says did not fit, or it says nothing of this. */
  readonly rule?: Rule
  /**
   * Of a deletion: the paths at and below which the other side changed, added or deleted something, in order. Of a `constraint` of a
   * synchronisation: the keys that are left because of it.
   */
  readonly changed?: ReadonlyArray<string>
  readonly hint?: PossibleMove
  /** Of a `constraint`: what is wrong with what came out. */
  readonly problem?: string
  /** Of a `constraint`: the SHA-256 of what came out; of a synchronisation, of what is in conflict: so that a decision is about that alone. */
  readonly digest?: string
  /** Of an element of a keyed array that ours deleted: where it would stand. */
  readonly gap?: Gap
}

/** What a merge decided that someone may want to know. */
export type Note =
  /** Both sides added an object here; they were merged key by key. Told at the highest such path. */
  | { readonly kind: "auto:add_add_object"; readonly path: string }
  /** What one side moved from here carries the other side's edits there. */
  | { readonly kind: "auto:move_followed"; readonly path: string; readonly to: string }
  /** The strategy of the array could not be followed, for this reason, and another one was. */
  | {
      readonly kind: "fallback"
      readonly path: string
      readonly from: "keyed" | "append"
      readonly to: "keyed" | "atomic"
      readonly reason: string
    }

/** What came out of a merge. */
export interface Merged {
  /** Where in the state the value is. */
  readonly path: Path
  /** Ours at each conflict. */
  readonly value: MaybeJson
  /** In the order of their paths, none above another. */
  readonly conflicts: ReadonlyArray<Conflict>
  /** In the order of their paths. */
  readonly notes: ReadonlyArray<Note>
}
