import { Effect, Result, Semaphore } from "effect"
import { clause } from "../base/clause.ts"
import { ConnectionLost, PostgresError, TransactionEnded } from "../postgres/error.ts"
import type { Connection, Postgres, Rows, TransactionOptions } from "../postgres/postgres.ts"
import { WithinTransaction } from "./ambient.ts"
import type { Appender } from "./appender.ts"
import type { PlacedPart } from "./batch.ts"
import { Draft } from "./draft.ts"
import { type LogError, logError, OutcomeUnknown } from "./error.ts"
import type { ExpectedVersion, Meta, NewEvent } from "./event.ts"
import { makeRequest, type Request, type RequestRules } from "./request.ts"

export interface EmitOptions {
  readonly expected?: ExpectedVersion
  readonly meta?: Meta
}

/** A caller's transaction, in which writes and events commit together. Once it has ended, all of it fails with TransactionEnded. */
export interface Transaction {
  /** The same for all that it is lent to. */
  readonly identity: object
  /** Runs a statement of the caller's. */
  readonly query: <Row = Record<string, unknown>>(
    sql: string,
    params?: ReadonlyArray<unknown>
  ) => Effect.Effect<Rows<Row>, PostgresError>
  /**
   * Queues events. One append, streams in sorted order, is the transaction's last statement before COMMIT, so that
   * transactions do not lock streams in each other's way. A conflict then fails the whole transaction, and so does
   * LockTimeout, where a stream is held longer than an emit is tried, or than the transaction's own lock_timeout.
   */
  readonly emit: (
    stream: string,
    events: NewEvent | ReadonlyArray<NewEvent>,
    options?: EmitOptions
  ) => Effect.Effect<void, LogError>
  /**
   * Appends what is queued now, for who needs versions and positions before COMMIT. From here to COMMIT its streams are
   * locked, and readers of the log wait.
   */
  readonly flush: Effect.Effect<ReadonlyArray<PlacedPart>, LogError | PostgresError>
}

const idsOf = (requests: ReadonlyArray<Request>): Array<string> =>
  requests.flatMap((request) => request.parts.flatMap((part) => part.rows.map((row) => row.id)))

const streamsOf = (requests: ReadonlyArray<Request>): Array<string> => [
  ...new Set(requests.flatMap((request) => request.parts.map((part) => part.stream)))
]

/** COMMIT was sent and not answered. Not as for an emit: the events alone, sent again, would be without the caller's rows. */
const unknownCommit = (sent: ReadonlyArray<Request>, lost: ConnectionLost): OutcomeUnknown => {
  const streams = streamsOf(sent)
  const detail = `the connection was lost at COMMIT: ${clause(lost.detail)}`
  return new OutcomeUnknown({ stream: streams[0]!, streams, ids: idsOf(sent), detail, transaction: true })
}

/** Runs a caller's transaction. It is not retried: only the caller knows what may be done twice. */
export const transaction = <A, E, R>(
  postgres: Postgres["Service"],
  appender: Appender["Service"],
  rules: RequestRules,
  ambient: Meta | undefined,
  use: (tx: Transaction) => Effect.Effect<A, E, R>,
  transactionOptions?: TransactionOptions
): Effect.Effect<A, E | LogError | PostgresError, R> => {
  const draft = new Draft()
  const sent: Array<Request> = []
  let highest = 0
  let ended = false
  /** Where it stands; once something in it was lost, COMMIT is not sent any more. */
  let begun = false
  let lost: PostgresError | undefined
  let committing = false
  /** What is lost before COMMIT is lost with nothing kept, if COMMIT then never follows: also where the body goes on regardless. */
  const noticing = <B, F>(asked: Effect.Effect<B, F | PostgresError>): Effect.Effect<B, F | PostgresError> =>
    Effect.mapError(asked, (error) => {
      if (committing || !isLost(error)) return error
      lost = withoutCommit(error)
      return lost
    })

  /** The end waits for a flush that the body did not wait for: COMMIT must not overtake it. */
  const flushing = Semaphore.makeUnsafe(1)

  const flush = (
    connection: Connection
  ): Effect.Effect<ReadonlyArray<PlacedPart>, LogError | PostgresError> =>
    Effect.suspend((): Effect.Effect<ReadonlyArray<PlacedPart>, LogError | PostgresError> => {
      if (draft.isEmpty) return Effect.succeed([])
      const request = draft.take()
      sent.push(request)
      const appended = noticing(appender.appendWithin(connection, request))
      return Effect.tap(appended, (placed) =>
        Effect.sync(() => {
          for (const part of placed)
            for (const event of part.events) highest = Math.max(highest, event.position)
        })
      )
    }).pipe(flushing.withPermits(1))

  const emit: Transaction["emit"] = (stream, events, options) =>
    Effect.suspend(() => {
      if (ended) return Effect.fail(logError(new TransactionEnded({ call: "emit" })))
      const part = {
        stream,
        events,
        ...(options?.expected === undefined ? {} : { expected: options.expected })
      }
      const request = makeRequest(
        [part],
        options?.meta === undefined ? ambient : { ...ambient, ...options.meta },
        rules
      )
      if (Result.isFailure(request)) return Effect.fail(logError(request.failure))
      const conflict = draft.add(request.success)
      return conflict === undefined ? Effect.void : Effect.fail(logError(conflict))
    })

  const late = (call: string): PostgresError => new PostgresError({ reason: new TransactionEnded({ call }) })

  /** What the caller holds, and may still hold when its body is over. */
  const lent = (connection: Connection): Transaction => ({
    identity: draft,
    query: (sql, params) =>
      Effect.suspend(() => (ended ? Effect.fail(late("query")) : noticing(connection.query(sql, params)))),
    emit,
    flush: Effect.suspend(() => (ended ? Effect.fail(late("flush")) : flush(connection)))
  })

  const over = Effect.sync(() => {
    ended = true
  })

  return postgres
    .transaction(
      (connection) =>
        Effect.tap(
          Effect.ensuring(
            Effect.provideService(
              Effect.suspend(() => {
                begun = true
                return use(lent(connection))
              }),
              WithinTransaction,
              () => true
            ),
            over
          ),
          () =>
            Effect.tap(flush(connection), () =>
              Effect.suspend(() => {
                if (lost !== undefined) return Effect.fail(lost)
                committing = true
                return Effect.void
              })
            )
        ),
      transactionOptions
    )
    .pipe(
      Effect.tap(() =>
        Effect.sync(() => {
          if (highest > 0) appender.announce(highest, sent)
        })
      ),
      Effect.mapError((error) => (begun || !isLost(error) ? error : withoutCommit(error))),
      Effect.catchIf(
        (error): error is PostgresError & Lost => committing && highest > 0 && isLost(error),
        (error) => Effect.fail(logError(unknownCommit(sent, error.reason)))
      )
    ) as Effect.Effect<A, E | LogError | PostgresError, R>
}

/** COMMIT was not sent, and will not be: the server keeps nothing. */
const withoutCommit = ({ reason: { detail, sqlState } }: PostgresError & Lost): PostgresError => {
  const state = sqlState === undefined ? {} : { sqlState }
  return new PostgresError({ reason: new ConnectionLost({ detail, ...state, nothingKept: true }) })
}

interface Lost {
  readonly reason: ConnectionLost
}

const isLost = (error: unknown): error is PostgresError & Lost =>
  error instanceof PostgresError && error.reason instanceof ConnectionLost
