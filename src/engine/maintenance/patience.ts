import type { Effect } from "effect"
import type { PostgresError } from "../../postgres/error.ts"
import type { Connection } from "../../postgres/postgres.ts"
import { statement } from "../../postgres/sql-file.ts"

/** How long a lock is waited for, in ms: who comes after queues behind whoever waits. */
export const LOCK_MS = 10_000

/** From here on the connection waits for locks for so long, and for its own work as long as that takes. */
export const patience = (
  connection: Connection,
  schema: string,
  lockMs: number,
  scope: "transaction" | "session"
): Effect.Effect<unknown, PostgresError> =>
  connection.query(statement("set_patience", schema).text, [lockMs, scope === "transaction"])
