import { Effect } from "effect"
import type { Owner } from "../fleet/post.ts"
import type { Filter } from "../log/filter.ts"
import type { PostgresError } from "../postgres/error.ts"
import type { Attempted } from "./held.ts"
import type { LocalPartition } from "./member.ts"
import type { Register } from "./register.ts"

/** How many events are held. */
export interface HeldCounts {
  readonly retrying: number
  readonly waiting: number
  readonly parked: number
}

export interface PartitionStatus {
  readonly partition: number
  /** Everything up to here is handled, or held. */
  readonly position: number
  readonly state: "running" | "stopped"
  /** How many positions the log is ahead, at most: positions may skip numbers. */
  readonly lag: number
  /** The age of the first event that it has not passed yet, wanted or not, in ms; 0 where there is none. */
  readonly lagMs: number
  /** Undefined while nobody who is alive owns it. */
  readonly owner: Owner | undefined
  /** Events handled per second by this engine, over the last ten seconds; undefined where it is not this engine's. */
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
  readonly lag: number
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
  readonly partition: number
  readonly position: string
  readonly partition_state: "running" | "stopped"
  readonly error: { readonly message: string } | null
  readonly engine: string | null
  readonly application: string | null
  readonly host: string | null
  readonly pid: number | null
  readonly is_owned: boolean
  readonly last_error: Attempted | null
  readonly age_ms: number | null
  readonly members: number
  readonly head: string
}

const partitionStatus = (row: StatusRow, local: LocalPartition | undefined): PartitionStatus => {
  const { partition, retrying, waiting, parked } = row
  const position = Number(row.position)
  return {
    partition,
    position,
    state: row.partition_state,
    lag: Math.max(0, Number(row.head) - position),
    lagMs: Math.max(0, row.age_ms ?? 0),
    owner: row.is_owned
      ? { engine: row.engine!, application: row.application!, host: row.host!, pid: row.pid! }
      : undefined,
    rate: local?.rate,
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
    lag: Math.max(...partitions.map(({ lag }) => lag)),
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
  Effect.map(register.ask<StatusRow>("subscription_status", [name]), ({ rows }) => {
    const byName = new Map<string, Array<StatusRow>>()
    for (const row of rows) byName.set(row.name, [...(byName.get(row.name) ?? []), row])
    return [...byName.values()].map((own) => durableStatus(own, local(own[0]!.name)))
  })
