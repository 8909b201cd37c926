import { Effect } from "effect"
import { statement, statementOf } from "../postgres/sql-file.ts"
import type { Connection } from "../postgres/postgres.ts"
import type { BatchesShape, FoldTables } from "./definition.ts"
import { attempt, type Fold } from "./fold.ts"
import { readSql, type SqlSource } from "./sql-source.ts"

/** Folds batches with what the projection itself does; `set` puts the tables of a generation into its SQL. */
export const batchesFold = (
  { fold, byIndex = false }: BatchesShape,
  schema: string,
  set: (sql: string) => string
): Fold => {
  const planning = statement("plan_by_index", schema)
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
  return (connection, events) => {
    const folded = fold(events, tablesOf(connection))
    if (!byIndex) return folded
    return Effect.andThen(connection.query(planning.text, [], { name: planning.name }), folded)
  }
}
