import type { MaybeJson } from "../../base/json-value.ts"
import { formatPointer, type Path } from "../../base/pointer.ts"
import { changedPaths } from "./changed-paths.ts"
import type { Conflict, ConflictKind, Gap, Note } from "./conflict.ts"
import type { Outcome, Sides } from "./merging.ts"
import { holdsUnresolved, type MaybeVirtual } from "./virtual.ts"

const byPath = (one: { readonly path: string }, other: { readonly path: string }): number =>
  one.path < other.path ? -1 : Number(one.path > other.path)

const changedOf = (path: Path, kind: ConflictKind, sides: Sides): ReadonlyArray<string> | undefined => {
  if (kind === "delete_modify") return changedPaths(path, sides.base, sides.theirs)
  if (kind === "modify_delete") return changedPaths(path, sides.base, sides.ours)
  return undefined
}

/** Writes down the conflicts of a merge of real values, and leaves ours in their places. */
export class Report implements Outcome {
  private readonly found: Array<Conflict> = []
  private readonly told: Array<Note> = []

  /** @param sides Of real values but for the base. */
  conflict = (path: Path, kind: ConflictKind, sides: Sides, gap?: Gap): MaybeVirtual => {
    const baseUnknown = holdsUnresolved(sides.base)
    const changed = changedOf(path, kind, sides)
    this.found.push({
      path: formatPointer(path),
      kind,
      base: baseUnknown ? undefined : (sides.base as MaybeJson),
      ours: sides.ours as MaybeJson,
      theirs: sides.theirs as MaybeJson,
      ...(baseUnknown && { baseUnknown }),
      ...(changed !== undefined && { changed }),
      ...(gap !== undefined && { gap })
    })
    return sides.ours
  }

  note = (note: Note): void => {
    this.told.push(note)
  }

  /** In the order of their paths, so that neither the order of keys nor that of the sides shows. */
  get conflicts(): ReadonlyArray<Conflict> {
    return this.found.toSorted(byPath)
  }

  get notes(): ReadonlyArray<Note> {
    return this.told.toSorted(byPath)
  }
}
