import { Context, Effect, Layer } from "effect"
import { PostgresError, RolledBack } from "../postgres/error.ts"
import { type Connection, Postgres } from "../postgres/postgres.ts"
import { SqlState } from "../postgres/sqlstate.ts"
import { AppendCall } from "./append-call.ts"
import { isPlaced, type PlacedPart } from "./batch.ts"
import { type LogError, logError } from "./error.ts"
import { LogIdentity } from "./identity.ts"
import {
  type AppendedListener,
  type AppenderConfig,
  type AppenderStatus,
  DEFAULT_EMIT_DEADLINE_MS,
  Lanes
} from "./lanes.ts"
import type { Request } from "./request.ts"

/** Puts requests into the log. */
export class Appender extends Context.Service<
  Appender,
  {
    /** Appends one request; a failed try is made again with the same ids until the deadline. Waits where the queue is full. */
    readonly append: (request: Request) => Effect.Effect<ReadonlyArray<PlacedPart>, LogError>
    /** Appends one request in a caller's own transaction, once; waits for a stream that is held as long as an emit is tried. */
    readonly appendWithin: (
      connection: Connection,
      request: Request
    ) => Effect.Effect<ReadonlyArray<PlacedPart>, LogError | PostgresError>
    readonly status: () => AppenderStatus
    /** Calls back with what was appended, and its highest position, before its caller hears of it. */
    readonly onAppended: (listener: AppendedListener) => void
    /** Something was appended beside this, in a caller's own transaction that is committed now. */
    readonly announce: AppendedListener
  }
>()("tidemark/log/Appender") {
  static readonly layer = (
    config: AppenderConfig = {}
  ): Layer.Layer<Appender, never, Postgres | LogIdentity> =>
    Layer.effect(
      Appender,
      Effect.gen(function* () {
        const call = new AppendCall(yield* Postgres, config.answerTimeoutMs)
        const lanes = new Lanes(call, (yield* LogIdentity).ready, config)
        const patienceMs = config.deadlineMs ?? DEFAULT_EMIT_DEADLINE_MS
        yield* lanes.start
        return Appender.of({
          append: (request) => lanes.append(request),
          appendWithin: (connection, request) => appendWithin(call, connection, request, patienceMs),
          status: () => lanes.status(),
          onAppended: (listener) => lanes.listeners.push(listener),
          announce: (position, requests) => lanes.announce(position, requests)
        })
      })
    )
}

const appendWithin = (
  call: AppendCall,
  connection: Connection,
  request: Request,
  patienceMs: number
): Effect.Effect<ReadonlyArray<PlacedPart>, LogError | PostgresError> =>
  call.appendWithin(connection, request, patienceMs).pipe(
    Effect.mapError((error) => refusalWithin(call, request, error)),
    Effect.flatMap((outcome): Effect.Effect<ReadonlyArray<PlacedPart>, LogError> =>
      isPlaced(outcome) ? Effect.succeed(outcome) : Effect.fail(logError(outcome))
    )
  )

/** What it means for a caller's transaction that its append was refused. */
const refusalWithin = (
  call: AppendCall,
  request: Request,
  error: PostgresError
): LogError | PostgresError => {
  switch (error.reason._tag) {
    case "UniqueViolation":
    case "InvalidData":
      return logError(call.refusal(request, error))
    case "Rejected":
      if (error.reason.sqlState !== SqlState.inFailedSqlTransaction) return error
      return new PostgresError({ reason: new RolledBack({ detail: error.reason.detail }) })
    default:
      return error
  }
}
