import { Effect } from "effect"
import { causedBy } from "../log/causation.ts"
import type { Event, Meta } from "../log/event.ts"
import type { Transaction } from "../log/transaction.ts"
import { Busy, ConnectionLost, PostgresError, Unreachable } from "../postgres/error.ts"

/** How long an owner's transaction may sit idle before the server ends it, in ms: shorter than the lease. */
export const IDLE_MS = 3_000

/** How long a handler may let it sit idle, in ms: it is told while the transaction can still be ended in good order. */
export const IDLE_LIMIT_MS = 2_500

/** The server, and not the handler, is at fault. */
export const isServerGone = (error: unknown): boolean =>
  error instanceof PostgresError &&
  (error.reason instanceof ConnectionLost ||
    error.reason instanceof Unreachable ||
    error.reason instanceof Busy)

/** A transaction that is lent to a handler, event by event: what is emitted in it is known to be caused by the event at hand. */
export class Lending {
  /** Something in it was lost: whatever the handler says of it, it is not its fault. */
  isBroken = false
  private readonly transaction: Transaction
  private readonly ambient: () => Meta | undefined
  private underWay = 0
  private idleSince = performance.now()

  constructor(transaction: Transaction, ambient: () => Meta | undefined) {
    this.transaction = transaction
    this.ambient = ambient
  }

  /** For how long nothing has been asked of the server. */
  idleMs(): number {
    return this.underWay > 0 ? 0 : performance.now() - this.idleSince
  }

  to(event: Event | undefined): Transaction {
    const { transaction, ambient } = this
    const asked = <A, E>(effect: Effect.Effect<A, E>): Effect.Effect<A, E> =>
      Effect.suspend(() => {
        this.underWay += 1
        return effect.pipe(
          Effect.tapError((error) =>
            Effect.sync(() => {
              if (isServerGone(error)) this.isBroken = true
            })
          ),
          Effect.ensuring(Effect.sync(() => this.answered()))
        )
      })
    return {
      query: (sql, params) => asked(transaction.query(sql, params)),
      emit: (stream, events, options) =>
        Effect.suspend(() => {
          const cause = event === undefined ? undefined : causedBy(event, ambient)
          return transaction.emit(stream, events, { ...options, meta: { ...cause, ...options?.meta } })
        }),
      flush: asked(transaction.flush)
    }
  }

  private answered(): void {
    this.underWay -= 1
    this.idleSince = performance.now()
  }
}
