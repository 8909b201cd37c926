import { Effect } from "effect"
import type { PostgresError } from "../src/postgres/error.ts"
import type { Postgres } from "../src/postgres/postgres.ts"
import { statementOf, withSchema } from "../src/postgres/sql-file.ts"
import { readSql, type SqlSource } from "../src/projection/sql-source.ts"

/** A question to read models as they are, however far they are, prepared once per connection. */
export type Ask<Row> = (...values: ReadonlyArray<unknown>) => Effect.Effect<ReadonlyArray<Row>, PostgresError>

/** Makes questions of files. */
export const asking =
  (postgres: Postgres["Service"]) =>
  <Row>(file: SqlSource): Ask<Row> => {
    const { text, name } = statementOf(withSchema(readSql(file), postgres.schema))
    return (...values) => Effect.map(postgres.query<Row>(text, values, { name }), ({ rows }) => rows)
  }
