import { Effect } from "effect"
import { statementOf } from "../postgres/sql-file.ts"
import type { Connection } from "../postgres/postgres.ts"
import type { BatchesShape, FoldTables } from "./definition.ts"
import { attempt, type Fold } from "./fold.ts"
import { readSql, type SqlSource } from "./sql-source.ts"

/** Folds batches with what the projection itself does; `set` puts the tables of a generation into its SQL. */
export const batchesFold = (shape: BatchesShape, set: (sql: string) => string): Fold => {
  const statements = new Map<SqlSource, ReturnType<typeof statementOf>>()
  const statementFor = (sql: SqlSource) => {
    const known = statements.get(sql)
    if (known !== undefined) return known
    const made = statementOf(set(readSql(sql)))
    statements.set(sql, made)
    return made
  }
  const tablesOf = (connection: Connection): FoldTables => ({
    attempt,
    query: <R>(sql: SqlSource, params: ReadonlyArray<unknown>) =>
      Effect.suspend(() => {
        const { text, name } = statementFor(sql)
        return Effect.map(connection.query<R>(text, params, { name }), ({ rows }) => rows)
      })
  })
  return (connection, events) => shape.fold(events, tablesOf(connection))
}
