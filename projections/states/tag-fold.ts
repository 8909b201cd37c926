import type { Effect } from "effect"
import type { Event } from "../../src/log/event.ts"
import type { PostgresError } from "../../src/postgres/error.ts"
import type { FoldTables } from "../../src/projection/definition.ts"
import { refOfStream } from "../../src/state/name.ts"

/** An event as the statement takes it. */
const row = ({ stream, type, data, meta, recordedAt }: Event) => ({
  ...refOfStream(stream),
  type,
  data,
  actor: meta.actor ?? null,
  at: recordedAt
})

/** The last event of each stream, in the order of the log. */
const lasts = (events: ReadonlyArray<Event>): ReadonlyArray<Event> => [
  ...new Map(events.map((event) => [event.stream, event])).values()
]

/** Folds events of tags: the last of each says all. */
export const foldTags = (
  { query }: FoldTables,
  events: ReadonlyArray<Event>
): Effect.Effect<unknown, PostgresError> =>
  query("#projections/states/save-tags.sql", [JSON.stringify(lasts(events).map(row))])
