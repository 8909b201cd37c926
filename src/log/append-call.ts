import { Effect } from "effect"
import { type Connection, Postgres, type Rows } from "../postgres/postgres.ts"
import { type PostgresError, InvalidData } from "../postgres/error.ts"
import { statement } from "../postgres/sql-file.ts"
import { type BatchRow, batchColumns, batchOutcomes, type Outcome } from "./batch.ts"
import { DuplicateEvent, InvalidEvent, type LogReason, Unavailable } from "./error.ts"
import type { Request } from "./request.ts"

/** How long an append may go without an answer before its connection is given up, in ms. */
export const APPEND_ANSWER_MS = 10_000

/** A server that is only slow is given so long, in ms, however near the deadline is: giving up a connection costs it more. */
const LEAST_ANSWER_MS = 1_000

/** The calls that an append is made of, for one log. */
export class AppendCall {
  private readonly postgres: Postgres["Service"]
  private readonly appendBatch
  private readonly freeHeadsQuery
  private readonly answerMs: number

  constructor(postgres: Postgres["Service"], answerMs: number = APPEND_ANSWER_MS) {
    this.postgres = postgres
    this.answerMs = answerMs
    this.appendBatch = statement("append_batch", postgres.schema)
    this.freeHeadsQuery = statement("free_heads", postgres.schema)
  }

  /**
   * Appends requests in one round trip, waiting `patienceMs` for locks; null waits as long as the transaction would. Without
   * a connection it takes any, and gives it up where no answer came by `deadline`, in ms since the epoch.
   */
  append(
    requests: ReadonlyArray<Request>,
    patienceMs: number | null,
    connection?: Connection,
    deadline = Number.POSITIVE_INFINITY
  ): Effect.Effect<ReadonlyArray<Outcome>, PostgresError> {
    const { text, name } = this.appendBatch
    const ask = (on: Connection): Effect.Effect<Rows<BatchRow>, PostgresError> => {
      const left = Math.max(LEAST_ANSWER_MS, deadline - Date.now())
      const answerTimeoutMs = Math.min(this.answerMs + (patienceMs ?? 0), left)
      return on.query<BatchRow>(text, [...batchColumns(requests), patienceMs], { name, answerTimeoutMs })
    }
    const answer =
      connection === undefined ? this.postgres.withConnection(ask, deadline - Date.now()) : ask(connection)
    return Effect.map(answer, ({ rows }) => batchOutcomes(requests, rows[0]!))
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

const invalid = (stream: string, type: string, reason: InvalidData): InvalidEvent =>
  new InvalidEvent({ stream, type, problem: reason.message })
