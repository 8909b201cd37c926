import { Effect } from "effect"
import { type Connection, Postgres } from "../postgres/postgres.ts"
import { type PostgresError, InvalidData } from "../postgres/error.ts"
import { statement } from "../postgres/sql-file.ts"
import { type BatchRow, batchColumns, batchOutcomes, type Outcome } from "./batch.ts"
import { DuplicateEvent, InvalidEvent, type LogReason, Unavailable } from "./error.ts"
import type { Request } from "./request.ts"

/** How long an append may go without an answer before its connection is given up, in ms. */
export const APPEND_ANSWER_MS = 10_000

/** The calls that an append is made of, for one log. */
export class AppendCall {
  private readonly postgres: Postgres["Service"]
  private readonly appendBatch
  private readonly freeHeadsQuery

  constructor(postgres: Postgres["Service"]) {
    this.postgres = postgres
    this.appendBatch = statement("append_batch", postgres.schema)
    this.freeHeadsQuery = statement("free_heads", postgres.schema)
  }

  /** Appends requests in one round trip, waiting `patienceMs` for locks; null waits as long as the transaction would. */
  append(
    requests: ReadonlyArray<Request>,
    patienceMs: number | null,
    connection: Pick<Connection, "query"> = this.postgres
  ): Effect.Effect<ReadonlyArray<Outcome>, PostgresError> {
    const { text, name } = this.appendBatch
    const answerTimeoutMs = APPEND_ANSWER_MS + (patienceMs ?? 0)
    return Effect.map(
      connection.query<BatchRow>(text, [...batchColumns(requests), patienceMs], { name, answerTimeoutMs }),
      ({ rows }) => batchOutcomes(requests, rows[0]!)
    )
  }

  /** Which of the streams nobody else holds now. A stream that is not there yet counts as held: it may be in the making. */
  freeHeads(streams: ReadonlyArray<string>): Effect.Effect<ReadonlySet<string>, PostgresError> {
    const { text, name } = this.freeHeadsQuery
    return Effect.map(
      this.postgres.query<{ stream: string }>(text, [streams], { name }),
      ({ rows }) => new Set(rows.map((row) => row.stream))
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
