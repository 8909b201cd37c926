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

interface Statement {
  readonly sql: SqlSource
  /** What it takes beside the merge and what the event says. */
  readonly more: (event: Event) => ReadonlyArray<unknown>
}

const whoAndWhen = ({ meta, recordedAt }: Event) => [meta.actor ?? null, meta.reason ?? null, recordedAt]

/** What each type of event does to a merge and its conflicts. */
const STATEMENTS: ReadonlyMap<string, Statement> = new Map<string, Statement>([
  [StateMergeOpened.type, { sql: "#projections/states/open-merge.sql", more: whoAndWhen }],
  [StateConflictResolved.type, { sql: "#projections/states/resolve-conflict.sql", more: whoAndWhen }],
  [StateMergeChecked.type, { sql: "#projections/states/check-merge.sql", more: () => [] }],
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
      return query(statement.sql, [idOf(event.stream), JSON.stringify(event.data), ...statement.more(event)])
    },
    { discard: true }
  )
