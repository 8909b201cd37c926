import { Effect } from "effect"
import type { Event } from "../../src/log/event.ts"
import type { PostgresError } from "../../src/postgres/error.ts"
import type { FoldTables } from "../../src/projection/definition.ts"
import {
  StateCheckpointDropped,
  StateCheckpointed,
  StateTagged,
  StateUntagged
} from "../../src/state/event.ts"
import { refOfStream } from "../../src/state/name.ts"

/** What each kind of event is written by: with all events of the kind that a batch has. */
const KINDS = [
  {
    types: [StateTagged.type, StateUntagged.type] as ReadonlyArray<string>,
    sql: "#projections/states/save-tags.sql"
  },
  {
    types: [StateCheckpointed.type] as ReadonlyArray<string>,
    sql: "#projections/states/save-checkpoints.sql"
  },
  {
    types: [StateCheckpointDropped.type] as ReadonlyArray<string>,
    sql: "#projections/states/drop-checkpoints.sql"
  }
] as const

/** An event as the statements take it. */
const row = ({ stream, type, data, meta, recordedAt }: Event) => ({
  ...refOfStream(stream),
  id: stream.slice(stream.indexOf("-") + 1),
  type,
  data,
  actor: meta.actor ?? null,
  reason: meta.reason ?? null,
  at: recordedAt
})

/** The last event of each stream, in the order of the log. */
const lasts = (events: ReadonlyArray<Event>): ReadonlyArray<Event> => [
  ...new Map(events.map((event) => [event.stream, event])).values()
]

/** Folds events of tags and checkpoints: of each kind together, since none looks at another's rows but a drop at its checkpoint. */
export const foldRefs = (
  { query }: FoldTables,
  events: ReadonlyArray<Event>
): Effect.Effect<void, PostgresError> =>
  Effect.forEach(
    KINDS,
    ({ types, sql }) => {
      const own = events.filter(({ type }) => types.includes(type))
      return own.length === 0 ? Effect.void : query(sql, [JSON.stringify(lasts(own).map(row))])
    },
    { discard: true }
  )
