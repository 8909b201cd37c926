import { Effect } from "effect"
import type { Appended, NewEvent } from "../../src/log/event.ts"
import { NotAllowed, NotFound, type ProjectionError, projectionError } from "../../src/projection/error.ts"
import type { OperationContext, OperationError } from "../../src/projection/operation.ts"
import { whoeverIsFaster } from "../outrun.ts"
import { sessionStream } from "./events.ts"
import type { SessionRow } from "./fold.ts"
import { ALLOWED } from "./life-cycle.ts"
import { leftMs, standings, statusAt } from "./standing.ts"

/** An active session as a command finds it. */
interface Found {
  readonly row: SessionRow
  readonly version: number
  readonly now: Date
}

const found = Effect.fnUntraced(function* (
  operation: string,
  session: string,
  context: OperationContext
): Effect.fn.Return<Found, OperationError> {
  const [standing] = yield* standings([session], context)
  const { row, version, now } = standing!
  if (row === undefined) {
    const next = "create it with sessions.create first, or take a session that sessions.list gives"
    return yield* projectionError(new NotFound({ operation, thing: "session", ids: [session], next }))
  }
  const status = statusAt(row, now)
  if (status === "active") return { row, version, now }
  return yield* notAllowed(operation, session, status)
})

const notAllowed = (operation: string, session: string, status: keyof typeof ALLOWED): ProjectionError => {
  const subject = `session ${JSON.stringify(session)}`
  return projectionError(new NotAllowed({ operation, subject, status, allowed: ALLOWED[status] }))
}

/**
 * Appends an event to a session that is active, or none where there is none to append: decided on what is in the log, and again where somebody else
 * was faster. Fails with NotFound or NotAllowed.
 */
export const decide = (
  operation: string,
  session: string,
  eventFor: (row: SessionRow, now: Date) => NewEvent | undefined,
  context: OperationContext
): Effect.Effect<Appended | undefined, OperationError> =>
  whoeverIsFaster(
    Effect.gen(function* () {
      const askedAt = performance.now()
      const { row, version, now } = yield* found(operation, session, context)
      const event = eventFor(row, now)
      if (event === undefined) return undefined
      const appended = yield* context.emit(sessionStream(session), event, { expected: version })
      // What took longer than the session had left may have been recorded when its time was over, and does not count then.
      if (performance.now() - askedAt < leftMs(row, now)) return appended
      const [after] = yield* standings([session], context)
      const status = statusAt(after!.row!, after!.now)
      return status === "expired" ? yield* notAllowed(operation, session, status) : appended
    })
  )
