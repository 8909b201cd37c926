import { Effect } from "effect"
import { isSameJson, type Json, type JsonObject } from "../../base/json-value.ts"
import { isUuid } from "../../base/uuid.ts"
import type { LogError } from "../../log/error.ts"
import type { PostgresError } from "../../postgres/error.ts"
import type { BranchState } from "../branch/branch-state.ts"
import { type Conflicting, MergeEnded, stateError, type StateError, UnknownMerge } from "../error.ts"
import { StateConflictResolved, StateMergeChecked, StateMergeEnded, StateMergeOpened } from "../event.ts"
import type { Resolution } from "../merge/resolve.ts"
import type { Rule } from "../merge/rule.ts"
import type { Settled, Strategy } from "../merge/settle.ts"
import { agentLabel, mergeStream } from "../name.ts"
import { type ByWhom, metaOf, type StateFailure, type StateParts, type StateScene } from "../parts.ts"
import type { TailEvent } from "../store.ts"

/** What a merge is about to do, for those who write it down. */
export interface Merging {
  readonly merge: string
  readonly mode: "recursive" | "fast_forward" | "manual"
  readonly strategy: Strategy
  readonly ownRules: ReadonlyArray<Rule>
  readonly author: string | undefined
  readonly source: BranchState
}

interface Side {
  readonly branch: number
  readonly name: string
  readonly version: number
}

/** Somebody's decision of a conflict, as that was then. */
export interface Decided {
  readonly conflict: Conflicting
  readonly resolution: Resolution
  readonly by: string | undefined
}

/** A merge that is not in its target yet, as its own stream tells it. */
export interface PendingMerge {
  readonly merge: string
  readonly agent: string
  readonly source: Side
  readonly target: Side
  readonly mode: "recursive" | "manual"
  readonly strategy: string
  readonly rules: ReadonlyArray<Rule>
  readonly author: string | undefined
  readonly conflicts: ReadonlyArray<Conflicting>
  readonly decided: ReadonlyMap<string, Decided>
  readonly status: "pending" | "merged" | "aborted"
  /** Of its stream. */
  readonly version: number
}

export const nameOfStrategy = (strategy: Strategy): string =>
  typeof strategy === "function" ? "custom" : strategy

const record = (value: object): JsonObject => JSON.parse(JSON.stringify(value)) as JsonObject

/** Begins a merge that somebody has to decide about. */
export const openMerge = (
  { parts, name }: StateScene,
  head: BranchState,
  { merge, mode, strategy, ownRules, author, source }: Merging,
  outcome: { readonly conflicts: ReadonlyArray<Conflicting>; readonly settled: ReadonlyArray<Settled> },
  by: ByWhom
): Effect.Effect<unknown, StateFailure> => {
  const side = ({ id, name: { branch }, version }: BranchState): Side => ({
    branch: id,
    name: branch,
    version
  })
  const event = StateMergeOpened.make(
    {
      agent: name.agent,
      source: side(source),
      target: side(head),
      mode: mode === "manual" ? "manual" : "recursive",
      strategy: nameOfStrategy(strategy),
      rules: ownRules.map(record),
      conflicts: outcome.conflicts.map(record),
      resolutions: outcome.settled
        .filter((one) => one.by === "strategy")
        .map(({ conflict, resolution }) => record({ path: conflict.path, conflict, resolution })),
      ...(author === undefined ? {} : { author })
    },
    { labels: [agentLabel(name.agent)] }
  )
  return parts.log.emit(mergeStream(merge), event, { expected: "none", meta: metaOf(by) ?? {} })
}

/** A merge as its stream tells it; fails with UnknownMerge. */
export const loadMerge = Effect.fnUntraced(function* (
  { store }: StateParts,
  merge: string
): Effect.fn.Return<PendingMerge, StateError | PostgresError> {
  const events = isUuid(merge) ? yield* store.page(mergeStream(merge), 0, Number.MAX_SAFE_INTEGER) : []
  const [first, ...rest] = events
  if (first?.type !== StateMergeOpened.type)
    return yield* stateError(new UnknownMerge({ merge: String(merge) }))
  return rest.reduce(next, opened(merge, first))
})

interface OpenedData extends Omit<PendingMerge, "merge" | "decided" | "status" | "version"> {
  readonly resolutions: ReadonlyArray<Decided & { readonly path: string }>
}

const opened = (merge: string, { data, version, meta }: TailEvent): PendingMerge => {
  const { resolutions, author, ...said } = data as OpenedData
  const decided = resolutions.map(({ path, conflict, resolution }): [string, Decided] => [
    path,
    { conflict, resolution, by: meta.actor }
  ])
  return { ...said, author, merge, decided: new Map(decided), status: "pending", version }
}

const next = (merge: PendingMerge, { type, data, meta, version }: TailEvent): PendingMerge => {
  switch (type) {
    case StateConflictResolved.type: {
      const { path, conflict, resolution } = data as Decided & { readonly path: string }
      const decided = new Map(merge.decided).set(path, { conflict, resolution, by: meta.actor })
      return { ...merge, decided, version }
    }
    case StateMergeChecked.type:
      return { ...merge, conflicts: (data as Pick<PendingMerge, "conflicts">).conflicts, version }
    case StateMergeEnded.type:
      return { ...merge, status: (data as Pick<PendingMerge, "status">).status, version }
    default:
      return { ...merge, version }
  }
}

/** Fails with MergeEnded where it is over. */
export const stillOpen = ({ merge, status }: PendingMerge): Effect.Effect<void, StateError> =>
  status === "pending" ? Effect.void : Effect.fail(stateError(new MergeEnded({ merge, status })))

/** A conflict is what it was when it was decided. */
export const isSameConflict = (one: Conflicting, other: Conflicting): boolean =>
  one.kind === other.kind &&
  one.digest === other.digest &&
  (["base", "ours", "theirs"] as const).every((side) => isSameJson(one[side] as Json, other[side] as Json))

/** Where a merge has conflicts that nobody has decided as they are now. */
export const openPaths = ({ conflicts, decided }: PendingMerge): ReadonlyArray<string> =>
  conflicts
    .filter((conflict) => {
      const known = decided.get(conflict.path)
      return known === undefined || !isSameConflict(known.conflict, conflict)
    })
    .map(({ path }) => path)

export type MergeFailure = StateError | LogError | PostgresError
