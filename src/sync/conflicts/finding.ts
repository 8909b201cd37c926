import { Effect } from "effect"
import { isUuid } from "../../base/uuid.ts"
import { LogError, VersionConflict } from "../../log/error.ts"
import type { NewEvent, Part } from "../../log/event.ts"
import { ConflictEnded, stateError, UnknownConflict } from "../../state/error.ts"
import { agentLabel, conflictStream } from "../../state/name.ts"
import { type ByWhom, metaOf, type StateFailure, type StateParts } from "../../state/parts.ts"
import type { InboxConflict } from "../../state/store.ts"

/** A conflict, and the version of its own stream at which it was that. */
export interface Seen {
  readonly entry: InboxConflict
  readonly version: number
}

/** How often it is tried while others decide, assign or declare something. */
const TRIES = 20

/** A conflict as the log has it just now. Fails with UnknownConflict. */
const seen = Effect.fnUntraced(function* (
  { store, log }: StateParts,
  id: string
): Effect.fn.Return<Seen, StateFailure> {
  const unknown = stateError(new UnknownConflict({ conflict: String(id) }))
  if (!isUuid(id)) return yield* unknown
  const stream = conflictStream(id)
  // The stream first: what comes to it after that is refused by its version.
  const version = (yield* store.lasts([stream])).get(stream)?.version ?? 0
  yield* store.caughtUp(yield* log.settled)
  const entry = yield* store.conflict(id)
  return entry === undefined ? yield* unknown : { entry, version }
})

const isOutrun = (failure: StateFailure): boolean =>
  failure instanceof LogError && failure.reason instanceof VersionConflict

/** Does something about an open conflict, and again where somebody was faster. Fails with UnknownConflict, ConflictEnded. */
export const whileOpen = Effect.fnUntraced(function* <A>(
  parts: StateParts,
  id: string,
  attempt: (conflict: Seen) => Effect.Effect<A, StateFailure>
): Effect.fn.Return<A, StateFailure> {
  for (let tries = 1; ; tries++) {
    const conflict = yield* seen(parts, id)
    const { path, status } = conflict.entry
    if (status !== "open") return yield* stateError(new ConflictEnded({ conflict: id, path, status }))
    const result = yield* Effect.result(attempt(conflict))
    if (result._tag === "Success") return result.success
    if (!isOutrun(result.failure) || tries === TRIES) return yield* result.failure
  }
})

/** Appends to the stream of a conflict as it was seen, and whatever goes with that. */
export const noted = (
  parts: StateParts,
  { entry, version }: Seen,
  event: NewEvent,
  by: ByWhom,
  also: ReadonlyArray<Part> = []
): Effect.Effect<unknown, StateFailure> => {
  const labels = [...new Set([agentLabel(entry.source), agentLabel(entry.target)])]
  const part = {
    stream: conflictStream(entry.id),
    events: [{ ...event, labels }],
    expected: version === 0 ? ("none" as const) : version
  }
  return parts.log.emitAll([part, ...also], { meta: metaOf(by) ?? {} })
}
