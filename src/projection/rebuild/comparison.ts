import { Effect } from "effect"
import type { PostgresError } from "../../postgres/error.ts"
import type { Connection } from "../../postgres/postgres.ts"
import { quoted } from "../../postgres/identifier.ts"
import { statement } from "../../postgres/sql-file.ts"

/** How many differences are told as examples. */
const EXAMPLES = 5

/** How many rows are fetched at a time, where tables differ. */
const FETCH_ROWS = 5_000

/** How long the server may take to look through a table, in ms: as long as Node's timers go. */
const LONG_ANSWER_MS = 2_147_483_647

/** Which row differs, and how. */
export interface Example {
  readonly key: string
  readonly how: "different" | "only live" | "only rebuilt"
}

/** How a table, built anew, compares with the live one. */
export interface TableComparison {
  readonly relation: string
  /** Rows of the live table. */
  readonly rows: number
  readonly different: number
  readonly onlyLive: number
  readonly onlyRebuilt: number
  readonly examples: ReadonlyArray<Example>
}

/** A table to compare: where it can be seen as it is to be compared. */
export interface Side {
  readonly connection: Connection
  readonly table: string
}

interface Columns {
  readonly columns: string
  readonly key: string
}

interface RowHash {
  readonly at: string
  readonly key: string
  readonly hash: string
}

/** Rows of a cursor, one after the other. */
class Rows {
  private readonly connection: Connection
  private readonly cursor: string
  private buffer: ReadonlyArray<RowHash> = []
  private next = 0
  private isOver = false

  constructor(connection: Connection, cursor: string) {
    this.connection = connection
    this.cursor = cursor
  }

  get current(): RowHash | undefined {
    return this.buffer[this.next]
  }

  /** Makes sure that there is a current row, if any is left. */
  readonly ready: Effect.Effect<void, PostgresError> = Effect.suspend(() => {
    if (this.current !== undefined || this.isOver) return Effect.void
    return Effect.map(
      this.connection.query<RowHash>(`fetch ${FETCH_ROWS} from ${this.cursor}`, undefined, {
        answerTimeoutMs: LONG_ANSWER_MS
      }),
      ({ rows }) => {
        this.buffer = rows
        this.next = 0
        this.isOver = rows.length < FETCH_ROWS
      }
    )
  })

  take(): void {
    this.next += 1
  }
}

/** Walks two ordered lists of rows side by side. */
const differences = Effect.fnUntraced(function* (live: Rows, rebuilt: Rows) {
  const found = { different: 0, onlyLive: 0, onlyRebuilt: 0 }
  const examples: Array<Example> = []
  const note = (key: string, how: Example["how"]): void => {
    if (examples.length < EXAMPLES) examples.push({ key, how })
  }
  for (;;) {
    yield* live.ready
    yield* rebuilt.ready
    const [one, other] = [live.current, rebuilt.current]
    if (one === undefined && other === undefined) return { ...found, examples }
    if (other === undefined || (one !== undefined && one.at < other.at)) {
      found.onlyLive += 1
      note(one!.key, "only live")
      live.take()
    } else if (one === undefined || one.at > other.at) {
      found.onlyRebuilt += 1
      note(other.key, "only rebuilt")
      rebuilt.take()
    } else {
      if (one.hash !== other.hash) {
        found.different += 1
        note(one.key, "different")
      }
      live.take()
      rebuilt.take()
    }
  }
})

const CURSOR = "compared"

/** Compares a table with the live one. Rows that are alike in all columns that both have are the same; their count is exact. */
export const compareTables = Effect.fnUntraced(function* (
  schema: string,
  relation: string,
  live: Side,
  rebuilt: Side
): Effect.fn.Return<TableComparison, PostgresError> {
  const hashed = yield* rebuilt.connection.query<Columns>(statement("row_hash", schema).text, [
    rebuilt.table,
    live.table
  ])
  const { columns, key } = hashed.rows[0]!
  const asked = (file: string, { connection, table }: Side) =>
    connection.query<{ count: string; sum: string }>(
      statement(file, schema)
        .text.replaceAll(':"table"', () => table)
        .replaceAll(':"cursor"', () => quoted(CURSOR))
        .replaceAll(":columns", () => columns)
        .replaceAll(":key", () => (key === "" ? columns : key)),
      undefined,
      { answerTimeoutMs: LONG_ANSWER_MS }
    )
  const both = [asked("table_sum", live), asked("table_sum", rebuilt)] as const
  const [one, other] = yield* Effect.all(both, { concurrency: 2 })
  const rows = Number(one.rows[0]!.count)
  const isSame = one.rows[0]!.count === other.rows[0]!.count && one.rows[0]!.sum === other.rows[0]!.sum
  if (isSame) return { relation, rows, different: 0, onlyLive: 0, onlyRebuilt: 0, examples: [] }
  for (const side of [live, rebuilt]) yield* asked("table_rows", side)
  const found = yield* differences(
    new Rows(live.connection, quoted(CURSOR)),
    new Rows(rebuilt.connection, quoted(CURSOR))
  )
  for (const { connection } of [live, rebuilt]) yield* connection.query(`close ${quoted(CURSOR)}`)
  return { relation, rows, ...found }
})
