import { Effect } from "effect"
import type { PostgresError } from "../../postgres/error.ts"
import type { Postgres, Queryable } from "../../postgres/postgres.ts"
import { statement } from "../../postgres/sql-file.ts"
import { LOCK_MS, patience } from "./patience.ts"
import type { IndexStanding, Left, OpenTransaction, TableStanding } from "./event.ts"

/** A table, and who may maintain it. */
export interface SurveyedTable extends TableStanding {
  readonly owner: string
  readonly mayMaintain: boolean
  /** It had rows at some time. */
  readonly hasPages: boolean
}

/** An index, and who may build it again or drop it. */
export interface SurveyedIndex extends IndexStanding {
  readonly owner: string
  readonly isOwned: boolean
  readonly mayMaintain: boolean
  /** An index of its table is being built now. */
  readonly isUnderWay: boolean
}

/** What the catalog and the statistics say of a log. */
export interface Survey {
  readonly tables: ReadonlyArray<SurveyedTable>
  readonly indexes: ReadonlyArray<SurveyedIndex>
  readonly transactions: ReadonlyArray<OpenTransaction>
  readonly transactionIds: { readonly age: number; readonly freezeAge: number }
  readonly isStandby: boolean
  /** What this role may not see. */
  readonly left: ReadonlyArray<Left>
}

interface SurroundingsRow {
  readonly age: number
  readonly freezeAge: number
  readonly hiddenSessions: number
  readonly role: string
  readonly isStandby: boolean
}

const hidden = ({ hiddenSessions, role }: SurroundingsRow): ReadonlyArray<Left> =>
  hiddenSessions === 0
    ? []
    : [
        {
          part: "long transactions",
          why: `${hiddenSessions} sessions are of roles that "${role}" may not look at: grant pg_read_all_stats to it to see how long theirs are open`
        }
      ]

/** How many tables are named in a sentence. */
const MOST_NAMED = 5

/** Tables whose statistics this role may not see have no estimates, nor have their indexes. */
const unread = (tables: ReadonlyArray<SurveyedTable>): ReadonlyArray<Left> => {
  const blind = tables.filter(
    ({ bloatBytes, rows, isPartitioned }) => !isPartitioned && bloatBytes === null && (rows ?? 0) > 0
  )
  if (blind.length === 0) return []
  const named = blind.slice(0, MOST_NAMED).map(({ table }) => table)
  const others = blind.length > MOST_NAMED ? ` and ${blind.length - MOST_NAMED} others` : ""
  return [
    {
      part: "estimates of bloat",
      why: `the statistics of ${named.join(", ")}${others} cannot be seen by this role, or do not have every column yet`
    }
  ]
}

export const indexesOf = (
  asked: Queryable,
  schema: string
): Effect.Effect<ReadonlyArray<SurveyedIndex>, PostgresError> =>
  Effect.map(
    asked.query<SurveyedIndex>(statement("maintained_indexes", schema).text, [schema]),
    ({ rows }) => rows
  )

const look = Effect.fnUntraced(function* (
  asked: Queryable,
  schema: string,
  longMs: number,
  ours: ReadonlyArray<number>
): Effect.fn.Return<Survey, PostgresError> {
  const tables = yield* asked.query<SurveyedTable>(statement("maintained_tables", schema).text, [schema])
  const indexes = yield* indexesOf(asked, schema)
  const transactions = yield* asked.query<OpenTransaction>(statement("long_transactions", schema).text, [
    longMs,
    ours
  ])
  const surroundings = yield* asked.query<SurroundingsRow>(statement("transaction_ids", schema).text)
  const row = surroundings.rows[0]!
  return {
    tables: tables.rows,
    indexes,
    transactions: transactions.rows,
    transactionIds: { age: row.age, freezeAge: row.freezeAge },
    isStandby: row.isStandby,
    left: [...hidden(row), ...unread(tables.rows)]
  }
})

/**
 * Looks at a log as it is now. `ours`: the backends whose transactions are the asker's own. Fails with LockTimeout where somebody keeps a table
 * from everybody, its size included.
 */
export const survey = (
  postgres: Postgres["Service"],
  longMs: number,
  ours: ReadonlyArray<number>
): Effect.Effect<Survey, PostgresError> =>
  postgres.transaction((connection) =>
    Effect.andThen(
      patience(connection, postgres.schema, LOCK_MS, "transaction"),
      look(connection, postgres.schema, longMs, ours)
    )
  )
