import type { MaybeJson } from "../../base/json-value.ts"
import { formatPointer, parsePointer, type Path } from "../../base/pointer.ts"
import type { Conflict, Merged, Note, PossibleMove } from "./conflict.ts"
import { Edits, lookUp } from "./edits.ts"
import type { Sides } from "./merging.ts"
import type { Rulebook } from "./rule.ts"
import { Subtrees } from "./subtrees.ts"
import { isSame, type MaybeVirtual, type Virtual } from "./virtual.ts"

/** What one side deleted and what it added. */
interface Moves {
  readonly deleted: Subtrees
  readonly added: Subtrees
}

const movesOf = (rules: Rulebook, path: Path, base: MaybeVirtual, side: MaybeVirtual): Moves => ({
  deleted: new Subtrees(rules, path, base, side),
  added: new Subtrees(rules, path, side, base)
})

/** Looks for moves among the conflicts of a merge, and only where there are deletions that conflict. */
const moveFinder = (rules: Rulebook, path: Path, { base, ours, theirs }: Sides) => {
  const known = new Map<MaybeVirtual, Moves>()
  return ({ kind, path: from, base: value }: Conflict): PossibleMove | undefined => {
    if ((kind !== "delete_modify" && kind !== "modify_delete") || value === undefined) return undefined
    const side = kind === "delete_modify" ? ours : theirs
    const moves = known.get(side) ?? movesOf(rules, path, base, side)
    known.set(side, moves)
    const to = moves.added.only(value)
    return to !== undefined && moves.deleted.only(value) === from
      ? { kind: "possible_move", from, to }
      : undefined
  }
}

/** A path, and what lies above it. */
const upwards = (path: Path): ReadonlyArray<string> =>
  Array.from({ length: path.length + 1 }, (_, length) => formatPointer(path.slice(0, length)))

/** Whether a path lies at, above or below that of a conflict. */
const touchedBy = (conflicts: ReadonlyArray<Conflict>): ((path: Path) => boolean) => {
  const at = new Set(conflicts.map(({ path }) => path))
  const above = new Set(conflicts.flatMap(({ path }) => upwards(parsePointer(path)!)))
  return (path) => above.has(formatPointer(path)) || upwards(path).some((part) => at.has(part))
}

/** Below the path of what was merged. */
const inside = (path: Path, pointer: string): Path => parsePointer(pointer)!.slice(path.length)

/**
 * Says of deletions that conflict where the deleted may have been moved to: the deleting side added the same value
 * elsewhere, and neither deleted nor added it a second time. JSON has no identity, so that this is only a hint; but where
 * the rule of the path says so, the edits of the other side follow, if the merge left what was moved there as it was.
 */
export const withMoves = (rules: Rulebook, merged: Merged, sides: Sides): Merged => {
  const moveOf = moveFinder(rules, merged.path, sides)
  const hinted = merged.conflicts.map((conflict) => ({ conflict, hint: moveOf(conflict) }))
  if (hinted.every(({ hint }) => hint === undefined)) return merged
  const touched = touchedBy(merged.conflicts)
  const edits = new Edits()
  const conflicts: Array<Conflict> = []
  const followed: Array<Note> = []
  for (const { conflict, hint } of hinted) {
    if (hint !== undefined && isFollowed(rules, merged, conflict, hint, touched)) {
      edits.put(inside(merged.path, hint.from), undefined)
      edits.put(inside(merged.path, hint.to), editedIn(conflict))
      followed.push({ kind: "auto:move_followed", path: hint.from, to: hint.to })
    } else conflicts.push(hint === undefined ? conflict : { ...conflict, hint })
  }
  const notes = [...merged.notes, ...followed].toSorted((one, other) => (one.path < other.path ? -1 : 1))
  return { ...merged, value: edits.appliedTo(merged.value), conflicts, notes }
}

/** What the side that did not delete made of it. */
const editedIn = ({ kind, ours, theirs }: Conflict): MaybeJson => (kind === "delete_modify" ? theirs : ours)

const isFollowed = (
  rules: Rulebook,
  { path, value }: Merged,
  { base }: Conflict,
  { from, to }: PossibleMove,
  touched: (path: Path) => boolean
): boolean => {
  const [source, target] = [parsePointer(from)!, parsePointer(to)!]
  return (
    rules.at(source).moves === "follow" &&
    !touched(target) &&
    isSame(lookUp(value, inside(path, to)), base as Virtual)
  )
}
