import { Effect } from "effect"
import type { PostgresError } from "../../postgres/error.ts"
import type { Postgres } from "../../postgres/postgres.ts"
import { statement } from "../../postgres/sql-file.ts"
import type { Overtaken } from "../registry.ts"
import type { Build } from "./build.ts"

/** How many indexes are made at once. */
const INDEXES_AT_ONCE = 2

/** How long the server may take to make an index or look through a table, in ms: as long as Node's timers go. */
const LONG_ANSWER_MS = 2_147_483_647

/** An index that is made once its table is full. */
interface LateIndex {
  readonly name: string
  readonly definition: string
}

/** Drops the indexes that filling does not need, and returns how to make them again: each row added to them costs more than a sort. */
export const withoutIndexes = (
  postgres: Postgres["Service"],
  build: Build
): Effect.Effect<ReadonlyArray<LateIndex>, PostgresError | Overtaken> =>
  build.transaction(
    Effect.fnUntraced(function* (connection) {
      const { text } = statement("late_indexes", postgres.schema)
      const late: Array<LateIndex> = []
      for (const table of build.generation.tables)
        late.push(...(yield* connection.query<LateIndex>(text, [table])).rows)
      for (const { name } of late) yield* connection.query(`drop index ${name}`)
      return late
    })
  )

/** Makes the indexes again, and tells the planner what is in the tables: their first readers come all at once. */
export const finish = (
  build: Build,
  late: ReadonlyArray<LateIndex>
): Effect.Effect<void, PostgresError | Overtaken> => {
  const run = (sql: string) =>
    build.transaction((connection) => connection.query(sql, undefined, { answerTimeoutMs: LONG_ANSWER_MS }))
  return Effect.andThen(
    Effect.forEach(late, ({ definition }) => run(definition), {
      concurrency: INDEXES_AT_ONCE,
      discard: true
    }),
    run(`analyze ${build.generation.tables.join(", ")}`)
  )
}
