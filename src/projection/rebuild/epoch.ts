import { Effect } from "effect"
import type { PostgresError } from "../../postgres/error.ts"
import type { Connection, Postgres } from "../../postgres/postgres.ts"
import { statement } from "../../postgres/sql-file.ts"
import { type ProjectionError, projectionError } from "../error.ts"
import type { RebuildParts } from "./build.ts"
import { RebuildLost } from "./error.ts"

/** Which log this is, in which of its epochs. */
export const logEpoch = (
  { schema }: Postgres["Service"],
  connection: Pick<Connection, "query">
): Effect.Effect<string, PostgresError> =>
  Effect.map(
    connection.query<{ epoch: string }>(statement("log_epoch", schema).text),
    ({ rows }) => rows[0]!.epoch
  )

/** Fails with RebuildLost where the log is not what it was: after a restore, what was built may never have been. */
export const sameEpoch = (
  postgres: Postgres["Service"],
  connection: Pick<Connection, "query">,
  projection: string,
  epoch: string
): Effect.Effect<void, PostgresError | ProjectionError> =>
  Effect.flatMap(logEpoch(postgres, connection), (now) => {
    const detail = "the log was restored, or another took its place"
    return now === epoch ? Effect.void : Effect.fail(projectionError(new RebuildLost({ projection, detail })))
  })

/** Makes sure that the log's epoch is the one of the server that answers now: a connection may lead to another than before. */
export const recognised = (
  { feed }: RebuildParts,
  projection: string
): Effect.Effect<void, PostgresError | ProjectionError> =>
  feed.sure(Effect.void).pipe(
    Effect.asVoid,
    Effect.mapError((error) =>
      error._tag === "PostgresError"
        ? error
        : projectionError(new RebuildLost({ projection, detail: error.message }))
    )
  )
