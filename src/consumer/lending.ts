import { Effect } from "effect"
import { causedBy } from "../log/causation.ts"
import type { Event, Meta } from "../log/event.ts"
import type { Transaction } from "../log/transaction.ts"
import { isServerGone } from "../postgres/error.ts"

/** How much of the time a handler may let its transaction sit idle: it is told while that can still be ended in good order. */
const IDLE_PART = 5 / 6

/** A transaction that is lent to a handler, event by event: what is emitted in it is known to be caused by the event at hand. */
export class Lending {
  /** Something in it was lost: whatever the handler says of it, it is not its fault. */
  isBroken = false
  private readonly transaction: Transaction
  private readonly ambient: () => Meta | undefined
  private readonly idleMs: number
  private underWay = 0
  private idleSince = performance.now()

  /** `idleMs`: how long the transaction may sit idle before the server ends it. */
  constructor(transaction: Transaction, ambient: () => Meta | undefined, idleMs: number) {
    this.transaction = transaction
    this.idleMs = idleMs
    this.ambient = ambient
  }

  /** Nothing has been asked of the server for so long that it will soon end the transaction. */
  get isIdle(): boolean {
    return this.underWay === 0 && performance.now() - this.idleSince >= this.idleMs * IDLE_PART
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
      identity: transaction.identity,
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
