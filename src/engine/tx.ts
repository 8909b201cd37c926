import { Effect, Result } from "effect"
import type { Appended, NewEvent } from "../log/event.ts"
import type { EmitOptions, Transaction } from "../log/transaction.ts"
import { plainError } from "./plain-error.ts"

/** A transaction of the caller's. Once it has ended, every call fails with TransactionEnded. */
export interface Tx {
  /**
   * Runs a statement; `count` is how many rows it returned or changed. Rejects with what PostgreSQL says, such as
   * UniqueViolation, InvalidData, AccessDenied, LockTimeout, StatementTimeout, ConnectionLost or Rejected.
   */
  readonly query: <Row = Record<string, unknown>>(
    sql: string,
    params?: ReadonlyArray<unknown>
  ) => Promise<{ readonly rows: ReadonlyArray<Row>; readonly count: number }>
  /**
   * Queues events; they are appended as the last thing before COMMIT. Throws InvalidName, InvalidArgument or InvalidEvent; and
   * DuplicateEvent or VersionConflict, where that can be told already.
   */
  readonly emit: (stream: string, events: NewEvent | ReadonlyArray<NewEvent>, options?: EmitOptions) => void
  /**
   * Appends what is queued now; from here to COMMIT its streams are locked and readers of the log wait. Rejects with
   * VersionConflict, DuplicateEvent, InvalidEvent (the server does not take it), LockTimeout (a stream was held for
   * `emitDeadlineMs`, or the transaction's own lock_timeout), Contention (a deadlock, or not read committed), RolledBack (a
   * statement had failed before), AccessDenied, Rejected or ConnectionLost: then the transaction can only end.
   */
  readonly flush: () => Promise<
    ReadonlyArray<{ readonly stream: string; readonly events: Appended["events"] }>
  >
}

type Run = <A>(effect: Effect.Effect<A, unknown>) => Promise<A>

/** A transaction whose calls return promises. */
export const promisedTx = (tx: Transaction, run: Run): Tx => ({
  query: (sql, params) => run(tx.query(sql, params)),
  emit: (stream, events, options) => {
    const emitted = Effect.runSync(Effect.result(tx.emit(stream, events, options)))
    if (Result.isFailure(emitted)) throw plainError(emitted.failure)
  },
  flush: () => run(tx.flush)
})
