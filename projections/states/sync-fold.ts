import { Effect } from "effect"
import { idOf } from "../../src/log/name.ts"
import type { Event } from "../../src/log/event.ts"
import { refOfStream } from "../../src/state/name.ts"
import type { Node } from "../../src/state/store.ts"
import { parsePointer } from "../../src/base/pointer.ts"
import { isUuid } from "../../src/base/uuid.ts"
import type { Folding, StateTables } from "./state-tables.ts"
import type { FoldedBranch } from "./working-set.ts"

interface Side {
  readonly agent: string
  readonly name: string
}

/** What both kinds of events say. */
interface SyncData {
  readonly source: Side & Node
  readonly strategy: string
  readonly link?: string
  readonly durationMs: number
}

interface SyncedData extends SyncData {
  readonly sync: string
  readonly settled: number
  readonly known: ReadonlyArray<{
    readonly keys: ReadonlyArray<string>
    readonly branches: Readonly<Record<string, number>>
  }>
}

interface LeftData extends SyncData {
  readonly target: Side
  readonly keys: ReadonlyArray<string>
  readonly conflicts: ReadonlyArray<unknown>
  readonly failed?: string
}

/** A row of `state_sync_events`, but for what it has come to. */
const rowOf = ({ data, meta, recordedAt }: Event, { agent, name }: Side) => {
  const { source, strategy, link, durationMs } = data as SyncData
  return {
    source_agent_id: source.agent,
    source_branch: source.name,
    source_version: source.version,
    target_agent_id: agent,
    target_branch: name,
    sync_type: link === undefined ? "manual" : "link",
    strategy,
    duration_ms: durationMs,
    actor: meta.actor ?? null,
    reason: meta.reason ?? null,
    created_at: recordedAt.toISOString()
  }
}

const syncedRow = (event: Event) => {
  const { sync, settled, known } = event.data as SyncedData
  const { agent, ref } = refOfStream(event.stream)
  return {
    ...rowOf(event, { agent, name: ref }),
    id: sync,
    state_keys: known.flatMap(({ keys }) => keys),
    target_version: event.version,
    conflicts_detected: settled,
    conflicts_resolved: settled,
    status: "synced",
    failed: null
  }
}

/** The rows of `state_known`. */
const knownRows = ({ branch }: FoldedBranch, { version, data }: Event) =>
  (data as SyncedData).known.flatMap(({ keys, branches }) =>
    keys.map((pointer) => {
      const [tier, key] = parsePointer(pointer)!
      return { branch, version, tier, key, known: branches }
    })
  )

const leftRow = (event: Event) => {
  const { target, keys, conflicts, failed = null } = event.data as LeftData
  return {
    ...rowOf(event, target),
    id: idOf(event.stream),
    state_keys: keys,
    target_version: null,
    conflicts_detected: conflicts.length,
    conflicts_resolved: 0,
    status: failed === null ? "conflicts" : "failed",
    failed
  }
}

/** Folds what synchronisations have taken over, and what they have left. */
export class SyncFold {
  private readonly states: StateTables

  constructor(states: StateTables) {
    this.states = states
  }

  /** After these events of branches, in the order of the log. */
  readonly synced = Effect.fnUntraced({ self: this }, function* (events: ReadonlyArray<Event>) {
    // A branch that is damaged stays at its last good version.
    const sound = events.filter(
      ({ stream, version }) => (this.states.set.branches.get(stream)?.version ?? 0) >= version
    )
    if (sound.length === 0) return
    const known = sound.flatMap((event) => knownRows(this.states.set.branches.get(event.stream)!, event))
    yield* this.states.tables.query("#projections/states/save-known.sql", [JSON.stringify(known)])
    yield* this.save(sound.map(syncedRow))
  })

  left(events: ReadonlyArray<Event>): Folding {
    // What somebody else has put into such a stream is of no synchronisation.
    return this.save(events.filter(({ stream }) => isUuid(idOf(stream))).map(leftRow))
  }

  private save(rows: ReadonlyArray<object>): Folding {
    if (rows.length === 0) return Effect.void
    return Effect.asVoid(
      this.states.tables.query("#projections/states/save-sync-events.sql", [JSON.stringify(rows)])
    )
  }
}
