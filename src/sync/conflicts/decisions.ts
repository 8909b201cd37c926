import { Effect } from "effect"
import { StateConflictDecided } from "../../state/event.ts"
import type { Conflict } from "../../state/merge/conflict.ts"
import type { Resolution } from "../../state/merge/resolve.ts"
import { conflictOfSync, type NamedSide } from "../../state/merging/conflict-name.ts"
import { conflictStream } from "../../state/name.ts"
import type { StateFailure, StateParts } from "../../state/parts.ts"
import type { LastEvent } from "../../state/store.ts"

/** What somebody has decided about a conflict as it was then. */
export interface Decision {
  readonly digest: string
  readonly resolution: Resolution
}

/** A source and a target, and what is decided between them. */
export interface Deciding {
  readonly parts: StateParts
  readonly source: NamedSide
  readonly target: NamedSide
  /** Decisions that are not written down, by path: they go before those that are. */
  readonly tried: ReadonlyMap<string, Decision> | undefined
}

const decidedIn = (last: LastEvent | undefined): Decision | undefined =>
  last?.type === StateConflictDecided.type ? (last.data as Decision) : undefined

/** What is decided of conflicts that are still what they were then, by path. Asks the log once, and only where there are any. */
export const decisionsOf = Effect.fnUntraced(function* (
  { parts, source, target, tried }: Deciding,
  conflicts: ReadonlyArray<Conflict>
): Effect.fn.Return<ReadonlyMap<string, Resolution>, StateFailure> {
  if (conflicts.length === 0) return new Map()
  const streamOf = ({ path }: Conflict) => conflictStream(conflictOfSync(source, target, path))
  const lasts = yield* parts.store.lasts(conflicts.map(streamOf))
  return new Map(
    conflicts.flatMap((conflict) => {
      const decision = tried?.get(conflict.path) ?? decidedIn(lasts.get(streamOf(conflict)))
      const isSame = decision !== undefined && decision.digest === conflict.digest
      return isSame ? [[conflict.path, decision.resolution] as const] : []
    })
  )
})
