import { Effect } from "effect"
import type { OperationContext, OperationError } from "../../src/projection/operation.ts"
import { isOutrun } from "../outrun.ts"
import { SessionExpired, sessionStream } from "./events.ts"
import type { SessionRow } from "./fold.ts"
import { leftMs, type Standing, standings } from "./standing.ts"

/** Who writes down that the time of a session is over. */
const EXPIRY = "expiry"

/** How many sessions are looked at together. */
const PAGE = 500

interface Due {
  readonly session: string
  readonly expiresAt: Date
}

/** What an expiry has done. */
export interface Expired {
  readonly sessions: ReadonlyArray<string>
  /** There may be more. */
  readonly more: boolean
}

/** Its time is over, and no event says so yet. */
const isDue = (standing: Standing): standing is Standing & { readonly row: SessionRow } => {
  const { row, now } = standing
  return row !== undefined && row.status === "active" && leftMs(row, now) <= 0
}

/** Says of a session that its time is over, where nobody else was faster: whether it did. */
const expire = (
  { session, row, version }: Standing & { readonly row: SessionRow },
  { emit }: OperationContext
): Effect.Effect<boolean, OperationError> => {
  const event = SessionExpired.make({ expiredAt: row.expires_at.toISOString() }, { meta: { actor: EXPIRY } })
  return emit(sessionStream(session), event, { expected: version }).pipe(
    Effect.as(true),
    Effect.catchIf(isOutrun, () => Effect.succeed(false))
  )
}

/**
 * Says of sessions whose time is over that it is, by an event each, of so many at most: each once, whoever else does so at the same time. Those that the
 * read model does not know to be over yet are passed by, so that no call is about those that the last one was about.
 */
export const expireDue = Effect.fnUntraced(function* (
  most: number,
  context: OperationContext
): Effect.fn.Return<Expired, OperationError> {
  const sessions: Array<string> = []
  let last: Due | undefined
  while (sessions.length < most) {
    const size = Math.min(PAGE, most - sessions.length)
    const page: ReadonlyArray<Due> = yield* context.query<Due>("#projections/sessions/due.sql", [
      size,
      last?.expiresAt ?? null,
      last?.session ?? null
    ])
    const due = (yield* standings(
      page.map(({ session }) => session),
      context
    )).filter(isDue)
    const done = yield* Effect.forEach(due, (one) => expire(one, context), { concurrency: "unbounded" })
    sessions.push(...due.filter((_, nth) => done[nth]).map(({ session }) => session))
    if (page.length < size) return { sessions, more: false }
    last = page.at(-1)
  }
  return { sessions, more: true }
})
