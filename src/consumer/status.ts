import { Effect } from "effect"
import { RATE_WINDOW_MS } from "../base/rate.ts"
import type { Owner } from "../fleet/post.ts"
import type { Filter } from "../log/filter.ts"
import type { PostgresError } from "../postgres/error.ts"
import type { Attempted } from "./held.ts"
import type { LocalPartition } from "./member.ts"
import type { Register } from "./register.ts"

/** Of how many of the newest events of the log it is looked at whether a subscription has still to handle them. */
const COUNTED_EVENTS = 10_000

/** How many events are held. */
export interface HeldCounts {
  readonly retrying: number
  readonly waiting: number
  readonly parked: number
}

/** How many events of a filter there are that were not handled yet, nor held. */
export interface DurableLag {
  /** So many were counted. */
  readonly atLeast: number
  /** The same where all were counted; else the number of positions ahead, which may skip and be of events that are not wanted. */
  readonly atMost: number
  /** Whether all were counted: so it is where there are no more than 10 000 events of any kind ahead. */
  readonly isCount: boolean
}

export interface PartitionStatus {
  readonly partition: number
  /** Everything up to here is handled, or held. */
  readonly position: number
  readonly state: "running" | "stopped"
  readonly lag: DurableLag
  /** Up to here retention has dropped telemetry that it may want, before it came to that; undefined where nothing is gone. */
  readonly droppedUpTo: number | undefined
  /** How long the first event of its lag has been there, in ms, or at most that where not all were counted; 0 where there is none. */
  readonly lagMs: number
  /** Undefined while nobody who is alive owns it. */
  readonly owner: Owner | undefined
  /** Events handled per second by its owner, over the last ten seconds, as far as written down; undefined where it has none. */
  readonly rate: number | undefined
  /** What stopped it or keeps it from going on, or else what a held event last failed with. */
  readonly error: string | undefined
  readonly held: HeldCounts
}

/** How a durable subscription stands, whoever works on it. */
export interface DurableStatus {
  readonly name: string
  readonly filter: Filter
  readonly state: "running" | "paused"
  readonly createdAt: Date
  /** How many engines that are alive have a handler for it. */
  readonly members: number
  /** Into how many partitions its streams are about to be dealt, once all have come to a position. */
  readonly dealing: { readonly partitions: number; readonly at: number } | undefined
  /** Of all partitions together. */
  readonly lag: DurableLag
  /** That of the partition whose is the longest. */
  readonly lagMs: number
  readonly held: HeldCounts
  readonly partitions: ReadonlyArray<PartitionStatus>
}

interface StatusRow extends HeldCounts {
  readonly name: string
  readonly filter: Filter
  readonly partitions: number
  readonly state: "running" | "paused"
  readonly next_partitions: number | null
  readonly next_at: string | null
  readonly created_at: Date
  readonly kept_after: string
  readonly partition: number
  readonly position: string
  readonly partition_state: "running" | "stopped"
  readonly error: { readonly message: string } | null
  readonly rate: number
  readonly engine: string | null
  readonly application: string | null
  readonly host: string | null
  readonly pid: number | null
  readonly is_owned: boolean
  readonly last_error: Attempted | null
  readonly behind: number
  readonly is_cut: boolean
  readonly age_ms: number | null
  readonly members: number
  readonly head: string
}

const lagOf = ({ behind, is_cut, head, position }: StatusRow): DurableLag => ({
  atLeast: behind,
  atMost: is_cut ? Math.max(behind, Number(head) - Number(position)) : behind,
  isCount: !is_cut
})

/** Each event is of one partition, so that all of them lie within the longest stretch that was not counted. */
const lagOfAll = (lags: ReadonlyArray<DurableLag>): DurableLag => {
  const atLeast = lags.reduce((sum, lag) => sum + lag.atLeast, 0)
  const uncounted = lags.filter(({ isCount }) => !isCount).map(({ atMost }) => atMost)
  return { atLeast, atMost: Math.max(atLeast, ...uncounted), isCount: uncounted.length === 0 }
}

const partitionStatus = (row: StatusRow, local: LocalPartition | undefined): PartitionStatus => {
  const { partition, retrying, waiting, parked } = row
  const position = Number(row.position)
  const keptAfter = Number(row.kept_after)
  return {
    partition,
    position,
    state: row.partition_state,
    lag: lagOf(row),
    droppedUpTo: position < keptAfter ? keptAfter : undefined,
    lagMs: Math.max(0, row.age_ms ?? 0),
    owner: row.is_owned
      ? { engine: row.engine!, application: row.application!, host: row.host!, pid: row.pid! }
      : undefined,
    rate: row.is_owned ? (local?.rate ?? Math.round(row.rate * 10) / 10) : undefined,
    error: row.error?.message ?? local?.error ?? row.last_error?.message,
    held: { retrying, waiting, parked }
  }
}

const durableStatus = (
  rows: ReadonlyArray<StatusRow>,
  local: ReadonlyArray<LocalPartition>
): DurableStatus => {
  const [{ name, filter, state, created_at, members, next_at, next_partitions }] = rows as [StatusRow]
  const partitions = rows.map((row) =>
    partitionStatus(
      row,
      local.find(({ partition }) => partition === row.partition)
    )
  )
  const sum = (count: (status: PartitionStatus) => number): number =>
    partitions.reduce((all, status) => all + count(status), 0)
  return {
    name,
    filter,
    state,
    createdAt: created_at,
    members,
    dealing: next_at === null ? undefined : { partitions: next_partitions!, at: Number(next_at) },
    lag: lagOfAll(partitions.map(({ lag }) => lag)),
    lagMs: Math.max(...partitions.map(({ lagMs }) => lagMs)),
    held: {
      retrying: sum(({ held }) => held.retrying),
      waiting: sum(({ held }) => held.waiting),
      parked: sum(({ held }) => held.parked)
    },
    partitions
  }
}

/** How one subscription stands, or all of them. */
export const durableStatuses = (
  register: Register,
  local: (name: string) => ReadonlyArray<LocalPartition>,
  name: string | null
): Effect.Effect<ReadonlyArray<DurableStatus>, PostgresError> =>
  Effect.map(
    register.ask<StatusRow>("subscription_status", [name, COUNTED_EVENTS, RATE_WINDOW_MS]),
    ({ rows }) => {
      const byName = new Map<string, Array<StatusRow>>()
      for (const row of rows) byName.set(row.name, [...(byName.get(row.name) ?? []), row])
      return [...byName.values()].map((own) => durableStatus(own, local(own[0]!.name)))
    }
  )
