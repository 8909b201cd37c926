import { Effect } from "effect"
import { ConnectionLost, type PostgresError, StatementTimeout } from "../postgres/error.ts"
import type { Event } from "./event.ts"

/** How many events a reader takes at a time. */
export const PAGE_EVENTS = 1000

/** How much a reader takes at a time, in bytes: a page ends with the event that reaches it. */
export const PAGE_BYTES = 8 * 1024 * 1024

/** What a query brought of a stretch, from its beginning. */
export interface Portion {
  /** Made of what came when they are first looked at, so that the next query can be on its way before. */
  readonly events: ReadonlyArray<Event>
  readonly count: number
  /** The position of the last event; 0 without any. */
  readonly last: number
  /** It was full, so the stretch may go on. */
  readonly isFull: boolean
}

/** No answer came in the time there was. */
export const isAnswerLost = ({ reason }: PostgresError): boolean =>
  reason instanceof ConnectionLost || reason instanceof StatementTimeout

/**
 * How many events a reader asks for at a time.
 *
 * The server cuts a page at PAGE_BYTES, for which it measures as many events as it is asked for: where events are large, the
 * reader asks for no more than fitted. Where no answer came, the page may have been too much for the time there was, or for
 * what lies in between, so that the next try is for half as many.
 */
export class PageSize {
  private wanted = PAGE_EVENTS

  read<P extends Pick<Portion, "count" | "isFull">>(
    query: (limit: number) => Effect.Effect<P, PostgresError>
  ): Effect.Effect<P, PostgresError> {
    return Effect.suspend(() => {
      const limit = this.wanted
      return query(limit).pipe(
        Effect.tap(({ count, isFull }) => Effect.sync(() => this.learn(limit, count, isFull))),
        Effect.tapError((error) => Effect.sync(() => this.shrink(limit, error)))
      )
    })
  }

  private learn(limit: number, got: number, isFull: boolean): void {
    if (got >= limit) this.wanted = Math.min(PAGE_EVENTS, 2 * limit)
    else if (isFull) this.wanted = Math.max(1, got)
  }

  private shrink(limit: number, error: PostgresError): void {
    if (isAnswerLost(error)) this.wanted = Math.max(1, Math.floor(limit / 2))
  }
}
