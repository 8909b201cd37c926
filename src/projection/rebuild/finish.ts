import { Effect } from "effect"
import type { PostgresError } from "../../postgres/error.ts"
import type { Connection, Postgres } from "../../postgres/postgres.ts"
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
 * The indexes that filling does not need: each row added to them costs more than a sort at the end. Unique ones only where rows
 * are added and nothing else, and nothing looks for them meanwhile.
 */
export const lateIndexes = (
  postgres: Postgres["Service"],
  build: Build,
  uniqueToo: boolean
): Effect.Effect<ReadonlyArray<LateIndex>, PostgresError> => {
  const { text } = statement("late_indexes", postgres.schema)
  const found = Effect.forEach(build.generation.tables, (table) =>
    postgres.query<LateIndex>(text, [table, uniqueToo])
  )
  return Effect.map(found, (tables) => tables.flatMap(({ rows }) => rows))
}

const isThere = (connection: Connection, { name }: LateIndex): Effect.Effect<boolean, PostgresError> =>
  Effect.map(connection.query("select where to_regclass($1) is not null", [name]), ({ count }) => count > 0)

/** Drops those that are still there. */
export const withoutIndexes = (
  build: Build,
  late: ReadonlyArray<LateIndex>
): Effect.Effect<void, PostgresError | Overtaken> =>
  build.transaction(
    Effect.fnUntraced(function* (connection) {
      for (const index of late) if (yield* isThere(connection, index)) yield* connection.query(index.dropping)
    })
  )

/**
 * Makes several at once. Where one fails, no more are begun, and those under way come to their ends before it is told: an interrupted
 * statement costs its connection, and what the server still has of it is in the way of whatever comes next.
 */
const makeAll = (
  late: ReadonlyArray<LateIndex>,
  make: (index: LateIndex) => Effect.Effect<void, PostgresError | Overtaken>
): Effect.Effect<void, PostgresError | Overtaken> =>
  Effect.suspend(() => {
    let cause: PostgresError | Overtaken | undefined
    const making = (index: LateIndex) =>
      cause === undefined
        ? Effect.catch(make(index), (failure) => {
            cause ??= failure
            return Effect.void
          })
        : Effect.void
    return Effect.andThen(
      Effect.forEach(late, making, { concurrency: INDEXES_AT_ONCE, discard: true }),
      Effect.suspend(() => (cause === undefined ? Effect.void : Effect.fail(cause)))
    )
  })

/** Makes the indexes that are not there yet, and tells the planner what is in the tables: their first readers come all at once. */
export const finish = (
  build: Build,
  late: ReadonlyArray<LateIndex>
): Effect.Effect<void, PostgresError | Overtaken> => {
  const making = (index: LateIndex) =>
    build.transaction((connection) =>
      Effect.gen(function* () {
        if (yield* isThere(connection, index)) return
        yield* connection.query(index.making, undefined, { answerTimeoutMs: LONG_ANSWER_MS })
      })
    )
  const analyze = `analyze ${build.generation.tables.join(", ")}`
  return Effect.andThen(
    makeAll(late, making),
    build.transaction((connection) =>
      connection.query(analyze, undefined, { answerTimeoutMs: LONG_ANSWER_MS })
    )
  )
}
