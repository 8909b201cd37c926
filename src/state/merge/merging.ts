import type { Path } from "../../base/pointer.ts"
import type { ConflictKind, Gap, Note } from "./conflict.ts"
import type { MaybeVirtual, Virtual } from "./virtual.ts"

/** What is merged at one path; undefined is absent. */
export interface Sides {
  readonly base: MaybeVirtual
  readonly ours: MaybeVirtual
  readonly theirs: MaybeVirtual
}

export interface Arrays {
  readonly base: ReadonlyArray<Virtual>
  readonly ours: ReadonlyArray<Virtual>
  readonly theirs: ReadonlyArray<Virtual>
}

/** What becomes of disagreements, and who is told of what was decided. */
export interface Outcome {
  /** What holds the place of a conflict. `gap` is that of an element that ours does not have. */
  readonly conflict: (path: Path, kind: ConflictKind, sides: Sides, gap?: Gap) => MaybeVirtual
  readonly note: (note: Note) => void
}

/** A merge under way, as the strategies of arrays see it. */
export interface Merging extends Outcome {
  readonly decide: (path: Path, sides: Sides) => MaybeVirtual
}
