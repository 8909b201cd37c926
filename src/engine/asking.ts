import { Effect } from "effect"
import type { PostgresError } from "../postgres/error.ts"
import { Postgres } from "../postgres/postgres.ts"
import { statementOf, withSchema } from "../postgres/sql-file.ts"
import { readSql, type SqlSource } from "../projection/sql-source.ts"

/**
 * The rows of a query of read models as they are, however far they are: whoever looks after a fleet must not wait for what is behind. It is planned once a
 * connection, or `anew` each time, where the plan depends on the values.
 */
export const asIs = <Row>(
  sql: SqlSource,
  values: ReadonlyArray<unknown>,
  planned: "once" | "anew" = "once"
): Effect.Effect<ReadonlyArray<Row>, PostgresError, Postgres> =>
  Effect.flatMap(Postgres, (postgres) => {
    const { text, name } = statementOf(withSchema(readSql(sql), postgres.schema))
    return Effect.map(
      postgres.query<Row>(text, values, planned === "once" ? { name } : {}),
      ({ rows }) => rows
    )
  })
