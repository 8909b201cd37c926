import { Effect } from "effect"
import { type Connection, Postgres } from "../postgres/postgres.ts"
import { type PostgresError, InvalidData } from "../postgres/error.ts"
import { statement } from "../postgres/sql-file.ts"
import {
  type BatchRow,
  batchColumns,
  batchOutcomes,
  batchRow,
  loneColumns,
  type LoneRow,
  type Outcome
} from "./batch.ts"
import { DuplicateEvent, InvalidEvent, type LogReason, Unavailable } from "./error.ts"
import type { Request, RequestPart } from "./request.ts"

/** How long a batch waits for a lock, in ms: one caller's open transaction must not hold the others' batch. */
export const BATCH_PATIENCE_MS = 250

/** How long an append may go without an answer before its connection is given up, in ms. */
export const APPEND_ANSWER_MS = 10_000

/** How long the caller's transaction would wait for a lock, in ms; 0 where it would wait for ever. */
const LOCK_TIMEOUT =
  "select (extract(epoch from current_setting('lock_timeout')::interval) * 1000)::integer as ms"

/** A stream may be waited for twice: while another transaction makes it, and while one holds it. */
const WAITS_PER_STREAM = 2

/**
 * A server that is only slow is given so long beyond its waits for locks, in ms, however near the deadline is: giving up a
 * connection costs it more, and leaves it unknown what was done.
 */
const LEAST_ANSWER_MS = 1_000

/** The calls that an append is made of, for one log. */
export class AppendCall {
  private readonly postgres: Postgres["Service"]
  private readonly appendBatch
  private readonly appendLone
  private readonly freeHeadsQuery
  private readonly answerMs: number

  constructor(postgres: Postgres["Service"], answerMs: number = APPEND_ANSWER_MS) {
    this.postgres = postgres
    this.answerMs = answerMs
    this.appendBatch = statement("append_batch", postgres.schema)
    this.appendLone = statement("append_lone", postgres.schema)
    this.freeHeadsQuery = statement("free_heads", postgres.schema)
  }

  /**
   * Appends requests in one round trip on any connection, waiting `patienceMs` for locks; gives the connection up where no
   * answer came by `deadline`, in ms since the epoch.
   */
  append(
    requests: ReadonlyArray<Request>,
    patienceMs: number,
    deadline: number
  ): Effect.Effect<ReadonlyArray<Outcome>, PostgresError> {
    const ask = (on: Connection): Effect.Effect<BatchRow, PostgresError> => {
      const least = WAITS_PER_STREAM * patienceMs + LEAST_ANSWER_MS
      const answerTimeoutMs = Math.max(least, Math.min(this.answerMs + patienceMs, deadline - Date.now()))
      const lone = patienceMs === BATCH_PATIENCE_MS ? loneEvent(requests) : undefined
      return lone === undefined
        ? this.askBatch(on, requests, patienceMs, answerTimeoutMs)
        : this.askLone(on, lone, answerTimeoutMs)
    }
    return Effect.map(this.postgres.withConnection(ask, deadline - Date.now()), (row) =>
      batchOutcomes(requests, row)
    )
  }

  /**
   * Appends one request as part of a caller's transaction, waiting for each lock as long as that would itself, and at most
   * `patienceMs`. The server gives a lock up before we give the connection up, so that what was not done is known as such.
   */
  appendWithin(
    connection: Connection,
    request: Request,
    patienceMs: number
  ): Effect.Effect<Outcome, PostgresError> {
    const answered = Effect.flatMap(connection.query<{ ms: number }>(LOCK_TIMEOUT), ({ rows }) => {
      const own = rows[0]!.ms
      const patience = own === 0 ? patienceMs : Math.min(own, patienceMs)
      const waits = request.parts.length * WAITS_PER_STREAM
      return this.askBatch(connection, [request], patience, this.answerMs + waits * patience)
    })
    return Effect.map(answered, (row) => batchOutcomes([request], row)[0]!)
  }

  private askBatch(
    on: Connection,
    requests: ReadonlyArray<Request>,
    patienceMs: number,
    answerTimeoutMs: number
  ): Effect.Effect<BatchRow, PostgresError> {
    const { text, name } = this.appendBatch
    const values = [...batchColumns(requests), patienceMs]
    return Effect.map(on.query<BatchRow>(text, values, { name, answerTimeoutMs }), ({ rows }) => rows[0]!)
  }

  private askLone(
    on: Connection,
    lone: RequestPart,
    answerTimeoutMs: number
  ): Effect.Effect<BatchRow, PostgresError> {
    const { text, name } = this.appendLone
    return Effect.map(on.query<LoneRow>(text, loneColumns(lone), { name, answerTimeoutMs }), ({ rows }) =>
      batchRow(rows[0]!)
    )
  }

  /** For each of the streams that exists, whether nobody else holds it now. One that does not exist may be in the making. */
  freeHeads(streams: ReadonlyArray<string>): Effect.Effect<ReadonlyMap<string, boolean>, PostgresError> {
    const { text, name } = this.freeHeadsQuery
    return Effect.map(
      this.postgres.query<{ stream: string; free: boolean }>(text, [streams], { name }),
      ({ rows }) => new Map(rows.map((row) => [row.stream, row.free]))
    )
  }

  /** What the caller is told where the server refuses a request for good. */
  refusal(request: Request, error: PostgresError): LogReason {
    const { stream, rows } = request.parts[0]!
    switch (error.reason._tag) {
      case "InvalidData":
        return invalid(stream, rows[0]!.type, error.reason)
      case "UniqueViolation":
        return new DuplicateEvent({
          stream,
          ids: request.parts.flatMap((part) => part.rows.map((row) => row.id))
        })
      case "AccessDenied":
      case "Rejected":
        return error.reason
      default:
        return new Unavailable({ detail: error.message })
    }
  }
}

/** The only event of a batch of one. */
const loneEvent = (requests: ReadonlyArray<Request>): RequestPart | undefined =>
  requests.length === 1 && requests[0]!.events === 1 ? requests[0]!.parts[0] : undefined

const invalid = (stream: string, type: string, reason: InvalidData): InvalidEvent =>
  new InvalidEvent({ stream, type, problem: reason.detail })
