import { Effect } from "effect"
import type { PostgresError } from "../postgres/error.ts"
import type { Connection } from "../postgres/postgres.ts"
import { statement, statementOf } from "../postgres/sql-file.ts"
import type { Event } from "../log/event.ts"
import { retiredUpTo, TelemetryRetired } from "../log/retired.ts"
import { attempt, type Fold } from "./fold.ts"
import { overBatch } from "./sql-source.ts"

/** How much JSON goes to the server in one statement, in characters, unless a single event is larger. */
const CHUNK_CHARACTERS = 16 * 1024 * 1024

/** The fold of a batch that comes from memory: `$1` holds its events as JSON. `sql` names its tables already. */
export const liveRowsSql = (sql: string, schema: string): string =>
  overBatch(sql, statement("live_batch", schema).text)

const batchRow = (event: Event): string =>
  JSON.stringify({
    position: event.position,
    id: event.id,
    stream: event.stream,
    version: event.version,
    type: event.type,
    data: event.data,
    labels: event.labels,
    meta: event.meta,
    recorded_at: event.recordedAt,
    schema_version: event.schemaVersion
  })

/** The events as arrays of JSON, none of them too long for one parameter. */
export const chunks = (events: ReadonlyArray<Event>, most = CHUNK_CHARACTERS): ReadonlyArray<string> => {
  const texts: Array<string> = []
  let rows: Array<string> = []
  let characters = 0
  const flush = (): void => {
    texts.push(`[${rows.join(",")}]`)
    rows = []
    characters = 0
  }
  for (const event of events) {
    const row = batchRow(event)
    if (rows.length > 0 && characters + row.length > most) flush()
    rows.push(row)
    characters += row.length
  }
  if (rows.length > 0) flush()
  return texts
}

/** The statement that deletes the rows of a category which are over. */
export interface Retiring {
  readonly of: string
  readonly text: string
}

/** It is planned each time: how much is over is not the same from one time to the next. */
const retire = (
  connection: Connection,
  { of, text }: Retiring,
  events: ReadonlyArray<Event>
): Effect.Effect<unknown, PostgresError> => {
  const upTo = retiredUpTo(events, of)
  return upTo === undefined ? Effect.void : connection.query(text, [upTo])
}

/** Folds batches with one statement; and with another what is over, which no later event of a batch makes rows of any more. */
export const rowsFold = (sql: string, schema: string, retiring?: Retiring): Fold => {
  const { text, name } = statementOf(liveRowsSql(sql, schema))
  const fold = (connection: Connection, events: ReadonlyArray<Event>) =>
    Effect.flatMap(
      attempt(() => chunks(events)),
      Effect.forEach((chunk) => connection.query(text, [chunk], { name }), { discard: true })
    )
  if (retiring === undefined) return fold
  return (connection, events) =>
    Effect.andThen(
      fold(
        connection,
        events.filter((event) => !TelemetryRetired.is(event))
      ),
      retire(connection, retiring, events)
    )
}
