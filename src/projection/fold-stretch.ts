import { Data, Effect } from "effect"
import type { PostgresError } from "../postgres/error.ts"
import { SqlStateClass } from "../postgres/sqlstate.ts"
import type { Event } from "../log/event.ts"
import type { Stretch } from "../log/backlog.ts"
import type { FoldFailed } from "./fold.ts"
import type { Overtaken } from "./registry.ts"

/** A projection cannot get past an event. */
export class Poisoned extends Data.TaggedError("Poisoned")<{
  readonly event: Event
  readonly detail: string
}> {}

/** Why a stretch was not folded. */
export type Failure = PostgresError | FoldFailed | Overtaken | Poisoned

/** The server is short of something, or broken: it is not the batch. */
const SERVER_CLASSES: ReadonlySet<string> = new Set([
  SqlStateClass.insufficientResources,
  SqlStateClass.operatorIntervention,
  SqlStateClass.systemError,
  SqlStateClass.internalError
])

/** Whether a batch of so many events failed because of what is in it, so that a smaller one tells more; all else is tried again. */
export const isAboutBatch = (error: PostgresError | FoldFailed, events: number): boolean => {
  if (error._tag === "FoldFailed") return true
  const { reason } = error
  switch (reason._tag) {
    case "InvalidData":
    case "UniqueViolation":
      return true
    case "StatementTimeout":
      return events > 1
    case "Rejected":
      return reason.sqlState === undefined || !SERVER_CLASSES.has(reason.sqlState.slice(0, 2))
    default:
      return false
  }
}

/** Folds some events in a transaction of their own, which moves the cursor to a position. */
export type Commit = (
  events: ReadonlyArray<Event>,
  upTo: number
) => Effect.Effect<void, PostgresError | FoldFailed | Overtaken>

/** Folds a stretch; where something in it is to blame, folds its halves, so that all before the very event is kept. */
export const foldStretch = ({ events, upTo }: Stretch, commit: Commit): Effect.Effect<void, Failure> =>
  Effect.catchIf(
    commit(events, upTo),
    (failure): failure is PostgresError | FoldFailed =>
      failure._tag !== "Overtaken" && isAboutBatch(failure, events.length),
    (failure): Effect.Effect<void, Failure> => {
      if (events.length === 1)
        return Effect.fail(new Poisoned({ event: events[0]!, detail: failure.message }))
      const half = events.slice(0, Math.ceil(events.length / 2))
      const rest = events.slice(half.length)
      return Effect.andThen(
        foldStretch({ events: half, upTo: half.at(-1)!.position }, commit),
        Effect.suspend(() => foldStretch({ events: rest, upTo }, commit))
      )
    }
  )
