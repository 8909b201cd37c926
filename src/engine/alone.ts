import { Effect } from "effect"
import { InvalidArgument, type LogError, logError } from "../log/error.ts"
import type { PostgresError } from "../postgres/error.ts"
import { type Connection, Postgres } from "../postgres/postgres.ts"
import { statement } from "../postgres/sql-file.ts"

/** One connection holds the lock, and others work. */
const LEAST_POOL_SIZE = 2

/** What one process at a time does, by the statement that takes the lock for it. */
export type Lock = "lock_maintenance" | "lock_retention"

/**
 * Works while no other process does the same to this log; fails with what `underWay` makes where one does, and with InvalidArgument where the pool
 * has no connection for the work beside the lock's.
 */
export const alone = <A, E, R, Busy>(
  lock: Lock,
  underWay: (schema: string) => Busy,
  use: (connection: Connection) => Effect.Effect<A, E, R>
): Effect.Effect<A, E | Busy | LogError | PostgresError, R | Postgres> =>
  Effect.gen(function* () {
    const { schema, poolSize, transaction } = yield* Postgres
    if (poolSize < LEAST_POOL_SIZE)
      return yield* logError(
        new InvalidArgument({
          problem: `poolSize is ${poolSize}, and one connection holds a lock while others work: give ${LEAST_POOL_SIZE} or more`
        })
      )
    const holding = (connection: Connection): Effect.Effect<A, E | Busy | PostgresError, R> =>
      Effect.flatMap(
        connection.query<{ is_ours: boolean }>(statement(lock, schema).text, [schema]),
        ({ rows }): Effect.Effect<A, E | Busy, R> =>
          rows[0]!.is_ours ? use(connection) : Effect.fail(underWay(schema))
      )
    // It has nothing but the lock, and sits idle while others of this process work.
    return yield* transaction(holding, { idleMs: 0 })
  })
