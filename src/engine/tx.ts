import { Effect, Result } from "effect"
import type { Appended, NewEvent } from "../log/event.ts"
import type { EmitOptions, Transaction } from "../log/transaction.ts"
import { plainError } from "./plain-error.ts"
import type { ChangeOptions } from "../state/change/changing.ts"
import type { StateUpdate, Wanting } from "../state/change/given.ts"
import { type SeenWithin, StatesWithin, type WrittenWithin } from "../state/change/within.ts"
import type { StateFailure, StateScene } from "../state/parts.ts"
import type { StateOptions, States } from "../state/states.ts"

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
  /** The state of an agent, to be changed with all else: of several agents all are changed, or none. Not for use beside `tx.emit` to its stream. */
  readonly state: (agent: string, options?: StateOptions) => TxState
}

/** A state within a transaction. */
export interface TxState {
  /**
   * The state as it was when the transaction first looked at it, with what was changed here. Rejects with InvalidChange, UnknownBranch,
   * StateCorrupt.
   */
  readonly read: (wanting?: Wanting) => Promise<SeenWithin>
  /**
   * Merges values into it, as `state.update` does. Rejects as that does; then the transaction has nothing of it, and may go on. Where somebody
   * else writes the state meanwhile, the transaction fails with VersionConflict when it ends: run it again. Of an agent that nobody has
   * written, others who begin its state wait from here on until the transaction has ended.
   */
  readonly update: (values: StateUpdate, options?: ChangeOptions) => Promise<WrittenWithin>
  /** Applies an RFC 6902 patch; the same holds. */
  readonly patch: (operations: ReadonlyArray<unknown>, options?: ChangeOptions) => Promise<WrittenWithin>
}

type Run = <A>(effect: Effect.Effect<A, unknown>) => Promise<A>

/** A transaction whose calls return promises. */
export const promisedTx = (tx: Transaction, run: Run, states: States["Service"]): Tx => ({
  state: (agent, options) => {
    const within = new StatesWithin(tx)
    const doing = <A>(use: (scene: StateScene) => Effect.Effect<A, StateFailure>): Promise<A> =>
      run(Effect.flatMap(states.scene(agent, options), use))
    return {
      read: (wanting = {}) => doing((scene) => within.read(scene, wanting)),
      update: (values, given = {}) => doing((scene) => within.update(scene, values, given)),
      patch: (operations, given = {}) => doing((scene) => within.patch(scene, operations, given))
    }
  },
  query: (sql, params) => run(tx.query(sql, params)),
  emit: (stream, events, options) => {
    const emitted = Effect.runSync(Effect.result(tx.emit(stream, events, options)))
    if (Result.isFailure(emitted)) throw plainError(emitted.failure)
  },
  flush: () => run(tx.flush)
})
