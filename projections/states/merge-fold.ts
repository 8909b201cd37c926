import { Effect } from "effect"
import { isUuid } from "../../src/base/uuid.ts"
import type { Event } from "../../src/log/event.ts"
import { idOf } from "../../src/log/name.ts"
import type { PostgresError } from "../../src/postgres/error.ts"
import type { FoldTables } from "../../src/projection/definition.ts"
import type { SqlSource } from "../../src/projection/sql-source.ts"
import {
  StateConflictResolved,
  StateMergeChecked,
  StateMergeEnded,
  StateMergeOpened
} from "../../src/state/event.ts"
import { conflictOfMerge } from "../../src/state/merging/conflict-name.ts"

interface Statement {
  readonly sql: SqlSource
  /** What it is about: the merge, by default. */
  readonly of?: (event: Event) => string
  /** What it takes beside that and what the event says. */
  readonly more: (event: Event) => ReadonlyArray<unknown>
}

interface WithConflicts {
  readonly conflicts: ReadonlyArray<{ readonly path: string }>
}

const conflictAt = ({ stream }: Event, path: string): string => conflictOfMerge(idOf(stream), path)

/** The ids of the conflicts that an event tells. */
const idsOf = (event: Event): ReadonlyArray<string> =>
  (event.data as WithConflicts).conflicts.map(({ path }) => conflictAt(event, path))

const whoAndWhen = ({ meta, recordedAt }: Event) => [meta.actor ?? null, meta.reason ?? null, recordedAt]

/** What each type of event does to a merge and its conflicts. */
const STATEMENTS: ReadonlyMap<string, Statement> = new Map<string, Statement>([
  [
    StateMergeOpened.type,
    { sql: "#projections/states/open-merge.sql", more: (event) => [...whoAndWhen(event), idsOf(event)] }
  ],
  [
    StateConflictResolved.type,
    {
      sql: "#projections/states/resolve-conflict.sql",
      of: (event) => conflictAt(event, (event.data as { readonly path: string }).path),
      more: whoAndWhen
    }
  ],
  [StateMergeChecked.type, { sql: "#projections/states/check-merge.sql", more: (event) => [idsOf(event)] }],
  [StateMergeEnded.type, { sql: "#projections/states/end-merge.sql", more: ({ recordedAt }) => [recordedAt] }]
])

/** Folds what happens to merges that wait for somebody, event after event: there are few of them. */
export const foldMerges = (
  { query }: FoldTables,
  events: ReadonlyArray<Event>
): Effect.Effect<void, PostgresError> =>
  Effect.forEach(
    events,
    (event) => {
      const statement = STATEMENTS.get(event.type)
      // What somebody else has put into such a stream is of no merge.
      if (statement === undefined || !isUuid(idOf(event.stream))) return Effect.void
      const { sql, of = ({ stream }: Event) => idOf(stream), more } = statement
      return query(sql, [of(event), JSON.stringify(event.data), ...more(event)])
    },
    { discard: true }
  )
