/** A version of a state, by one of its names; the newest of a branch where none is given. */
export interface Ref {
  /** … of this branch; that of the state it is asked of, by default. */
  readonly branch?: string
  /** The number of the version. */
  readonly version?: number
  /** As the log was up to a position: nothing, where the branch was deleted by then. */
  readonly position?: number
  /** As it was at a time, likewise: the last event that was recorded by then, by the database's clock. */
  readonly time?: Date | string
  /** The id of a commit. */
  readonly commit?: string
  readonly tag?: string
  /** A token of a read or a write. */
  readonly token?: string
}

/** A version, a commit's id, or what names one. */
export type RefLike = number | string | Ref | { readonly commit: string; readonly version: number }

const FIELDS = ["version", "position", "time", "commit", "tag", "token"] as const

/** The one field by which a ref names a version; undefined where it names the newest, and a problem where it has several. */
export const kindOfRef = (ref: Ref): (typeof FIELDS)[number] | undefined | { readonly problem: string } => {
  const given = FIELDS.filter((field) => ref[field] !== undefined)
  // What a commit returns has its version, too.
  if (given.includes("commit")) return "commit"
  return given.length > 1 ? { problem: `it gives ${given.join(" and ")}: give one of them` } : given[0]
}

/** A number is a version, and a text is the id of a commit. */
export const refOf = (given: RefLike): Ref => {
  if (typeof given === "number") return { version: given }
  return typeof given === "string" ? { commit: given } : given
}
