import { Effect } from "effect"
import type { JsonObject } from "../../src/base/json-value.ts"
import { isUuid } from "../../src/base/uuid.ts"
import type { Event } from "../../src/log/event.ts"
import { idOf } from "../../src/log/name.ts"
import type { PostgresError } from "../../src/postgres/error.ts"
import type { FoldTables } from "../../src/projection/definition.ts"
import { pointerOfKey } from "../../src/state/change/writing.ts"
import type { Conflicting } from "../../src/state/error.ts"
import {
  StateConflictAssigned,
  StateConflictClosed,
  StateConflictDecided,
  StateSynced,
  StateSyncLeft
} from "../../src/state/event.ts"
import { conflictOfSync, type NamedSide } from "../../src/state/merging/conflict-name.ts"
import { keyOfConflict } from "../../src/state/merging/combining.ts"
import { refOfStream } from "../../src/state/name.ts"

type Folding = Effect.Effect<unknown, PostgresError>

interface LeftData {
  readonly source: NamedSide
  readonly target: NamedSide
  readonly conflicts: ReadonlyArray<Conflicting>
  readonly rules?: ReadonlyArray<JsonObject>
}

interface SyncedData {
  readonly source: NamedSide
  readonly known: ReadonlyArray<{ readonly keys: ReadonlyArray<string> }>
}

const pairOf = (source: NamedSide, target: NamedSide) => ({
  source_agent_id: source.agent,
  source_branch: source.name,
  target_agent_id: target.agent,
  target_branch: target.name
})

/** The keys that are left because of a conflict. */
const keysOf = (conflict: Conflicting): ReadonlyArray<string> =>
  conflict.kind === "constraint" ? (conflict.changed ?? []) : [pointerOfKey(keyOfConflict(conflict))]

/** The rows that a synchronisation closes: where two have met, neither has a conflict with the other any more. */
const closing = ({ stream, data, meta, recordedAt }: Event) => {
  const { source, known } = data as SyncedData
  const { agent, ref } = refOfStream(stream)
  const target = { agent, name: ref }
  const said = {
    keys: known.flatMap(({ keys }) => keys),
    actor: meta.actor ?? null,
    reason: meta.reason ?? null,
    at: recordedAt.toISOString()
  }
  return [pairOf(source, target), pairOf(target, source)].map((pair) => ({ ...pair, ...said }))
}

const closed = ({ query }: FoldTables, events: ReadonlyArray<Event>): Folding => {
  const rows = events.flatMap(closing).map((row, nth) => ({ ...row, nth }))
  return query("#projections/states/close-sync-conflicts.sql", [JSON.stringify(rows)])
}

const left = ({ query }: FoldTables, { stream, data, recordedAt }: Event): Folding => {
  const { source, target, conflicts, rules = [] } = data as LeftData
  // Where it failed it has found nothing.
  if (conflicts.length === 0) return Effect.void
  const said = { ...pairOf(source, target), sync: idOf(stream), rules, at: recordedAt.toISOString() }
  const found = conflicts.map((conflict) => ({
    id: conflictOfSync(source, target, conflict.path),
    path: conflict.path,
    kind: conflict.kind,
    keys: keysOf(conflict),
    digest: conflict.digest ?? "",
    conflict
  }))
  const both = [JSON.stringify(said), JSON.stringify(found)]
  const keys = found.flatMap((one) => one.keys)
  return Effect.andThen(
    query("#projections/states/clear-sync-conflicts.sql", [...both, keys]),
    query("#projections/states/open-sync-conflicts.sql", both)
  )
}

const ofConflict = ({ query }: FoldTables, event: Event): Folding => {
  const id = idOf(event.stream)
  const { meta, recordedAt } = event
  if (event.type === StateConflictAssigned.type) {
    const { assignee = null } = event.data as { readonly assignee?: string }
    return query("#projections/states/assign-conflict.sql", [id, assignee])
  }
  const { digest } = event.data as { readonly digest: string }
  if (event.type === StateConflictClosed.type) {
    const { why } = event.data as { readonly why: string }
    return query("#projections/states/close-conflict.sql", [id, digest, why, recordedAt])
  }
  if (event.type !== StateConflictDecided.type) return Effect.void
  const { resolution } = event.data as { readonly resolution: JsonObject }
  const who = [meta.actor ?? null, meta.reason ?? null, recordedAt]
  return query("#projections/states/decide-conflict.sql", [id, digest, JSON.stringify(resolution), ...who])
}

/** Folds what concerns conflicts of synchronisations, in the order of the log: they are found, decided, and over. */
export const foldInbox = Effect.fnUntraced(function* (
  tables: FoldTables,
  events: ReadonlyArray<Event>
): Effect.fn.Return<void, PostgresError> {
  const synced: Array<Event> = []
  const flush = Effect.suspend(() => (synced.length === 0 ? Effect.void : closed(tables, synced.splice(0))))
  for (const event of events) {
    if (event.type === StateSynced.type) {
      synced.push(event)
      continue
    }
    // What somebody else has put into such a stream is of no conflict.
    if (!isUuid(idOf(event.stream))) continue
    yield* flush
    yield* event.type === StateSyncLeft.type ? left(tables, event) : ofConflict(tables, event)
  }
  yield* flush
})
