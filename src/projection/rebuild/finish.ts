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

/** An index, or the constraint that it stands for, that is made once its table is full. */
export interface LateIndex {
  readonly name: string
  readonly dropping: string
  readonly making: string
}

/**
 * Drops the indexes that filling does not need, and returns how to make them again: each row added to them costs more than a
 * sort at the end. Unique ones only where rows are added and nothing else, and nothing looks for them meanwhile.
 */
export const withoutIndexes = (
  postgres: Postgres["Service"],
  build: Build,
  uniqueToo: boolean
): Effect.Effect<ReadonlyArray<LateIndex>, PostgresError | Overtaken> =>
  build.transaction(
    Effect.fnUntraced(function* (connection) {
      const { text } = statement("late_indexes", postgres.schema)
      const late: Array<LateIndex> = []
      for (const table of build.generation.tables)
        late.push(...(yield* connection.query<LateIndex>(text, [table, uniqueToo])).rows)
      for (const { dropping } of late) yield* connection.query(dropping)
      return late
    })
  )

/** Makes the indexes that are not there yet, and tells the planner what is in the tables: their first readers come all at once. */
export const finish = (
  build: Build,
  late: ReadonlyArray<LateIndex>
): Effect.Effect<void, PostgresError | Overtaken> => {
  const making = ({ name, making: sql }: LateIndex) =>
    build.transaction((connection) =>
      Effect.gen(function* () {
        const { count } = yield* connection.query("select where to_regclass($1) is null", [name])
        if (count > 0) yield* connection.query(sql, undefined, { answerTimeoutMs: LONG_ANSWER_MS })
      })
    )
  const analyze = `analyze ${build.generation.tables.join(", ")}`
  return Effect.andThen(
    Effect.forEach(late, making, { concurrency: INDEXES_AT_ONCE, discard: true }),
    build.transaction((connection) =>
      connection.query(analyze, undefined, { answerTimeoutMs: LONG_ANSWER_MS })
    )
  )
}
