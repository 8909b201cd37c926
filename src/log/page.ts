import { Effect } from "effect"
import { type PostgresError } from "../postgres/error.ts"
import { Postgres } from "../postgres/postgres.ts"
import { type Statement, statement } from "../postgres/sql-file.ts"
import { filterColumns, isFilter } from "./filter.ts"
import { PAGE_BYTES, type Portion } from "./page-size.ts"
import { type EventRow, portionOf } from "./recorded.ts"
import { type Criteria, criteriaColumns, isBeyondFilter } from "./replay/criteria.ts"
import type { Share } from "./share.ts"

/** How far ahead one look for a gap goes, in events. */
export const EXTENT_EVENTS = 10_000

/** The queries that read the log, for one schema. Events come as they were stored. */
export class Pages {
  private readonly postgres: Postgres["Service"]
  private readonly page
  private readonly replayPage
  private readonly share
  private readonly positions
  private readonly tail
  private readonly tailExtent
  private readonly oldest
  private readonly highest
  private readonly holders
  private readonly settled

  constructor(postgres: Postgres["Service"]) {
    this.postgres = postgres
    this.page = statement("read_page", postgres.schema)
    this.replayPage = statement("replay_page", postgres.schema)
    this.share = statement("read_share", postgres.schema)
    this.positions = statement("read_positions", postgres.schema)
    this.tail = statement("read_tail", postgres.schema)
    this.tailExtent = statement("tail_extent", postgres.schema)
    this.oldest = statement("oldest_unsettled", postgres.schema)
    this.highest = statement("highest_position", postgres.schema)
    this.holders = statement("log_holders", postgres.schema)
    this.settled = statement("settled_position", postgres.schema)
  }

  /** In a stretch that is settled: so many events at most, and PAGE_BYTES. */
  between(
    after: number,
    upTo: number,
    limit: number,
    criteria: Criteria,
    share?: Share
  ): Effect.Effect<Portion, PostgresError> {
    const filtered = [after, upTo, limit, ...filterColumns(criteria), PAGE_BYTES]
    if (share !== undefined) return this.portion(this.share, limit, [...filtered, share.partition, share.of])
    if (!isFilter(criteria)) return this.portion(this.tail, limit, [after, upTo, limit, PAGE_BYTES])
    return isBeyondFilter(criteria)
      ? this.portion(this.replayPage, limit, [...filtered, ...criteriaColumns(criteria)])
      : this.portion(this.page, limit, filtered)
  }

  /** The events at some positions, as far as they are there. */
  at(positions: ReadonlyArray<number>): Effect.Effect<Portion, PostgresError> {
    return this.portion(this.positions, positions.length, [positions])
  }

  /** What is there now above a position, settled or not. */
  above(after: number, limit: number): Effect.Effect<Portion, PostgresError> {
    return this.portion(this.tail, limit, [after, Number.MAX_SAFE_INTEGER, limit, PAGE_BYTES])
  }

  /** How long ago the oldest event above a position came, in ms; undefined where there is none. */
  oldestAbove(position: number): Effect.Effect<number | undefined, PostgresError> {
    return Effect.map(
      this.postgres.query<{ ms: number | null }>(this.oldest.text, [position, EXTENT_EVENTS]),
      ({ rows: [row] }) => row?.ms ?? undefined
    )
  }

  /** How far the log goes above a position now, up to EXTENT_EVENTS, settled or not, and whether one of the types is there. */
  extent(after: number, types: ReadonlyArray<string> = []): Effect.Effect<Extent, PostgresError> {
    const { text, name } = this.tailExtent
    return Effect.map(
      this.postgres.query<ExtentRow>(text, [after, EXTENT_EVENTS, types], { name }),
      ({ rows: [row] }): Extent => ({
        contiguous: row!.contiguous === null ? undefined : Number(row!.contiguous),
        highest: Number(row!.highest),
        seen: row!.seen,
        wanted: row!.wanted
      })
    )
  }

  /** The highest position that is visible now, 0 in an empty log. */
  highestPosition(): Effect.Effect<number, PostgresError> {
    return Effect.map(
      this.postgres.query<{ position: string | null }>(this.highest.text, [], { name: this.highest.name }),
      ({ rows }) => Number(rows[0]!.position ?? 0)
    )
  }

  /** The transactions that hold the log's lock now. */
  lockHolders(): Effect.Effect<ReadonlyArray<Holder>, PostgresError> {
    return Effect.map(
      this.postgres.query<Holder>(this.holders.text, [], { name: this.holders.name }),
      ({ rows }) => rows
    )
  }

  /** What was last written down. */
  settledPosition(): Effect.Effect<number, PostgresError> {
    return Effect.map(
      this.postgres.query<{ position: string }>(this.settled.text, [], { name: this.settled.name }),
      ({ rows }) => Number(rows[0]!.position)
    )
  }

  private portion(
    { text, name }: Statement,
    limit: number,
    values: ReadonlyArray<unknown>
  ): Effect.Effect<Portion, PostgresError> {
    return Effect.map(this.postgres.query<EventRow>(text, values, { name, arrays: true }), ({ rows }) =>
      portionOf(rows, limit)
    )
  }
}

/** How far the log goes above a position. */
export interface Extent {
  /** Up to where without a gap; undefined where the gap begins at once. */
  readonly contiguous: number | undefined
  readonly highest: number
  /** How many events were looked at. */
  readonly seen: number
  /** One of the types that were asked for lies before the gap. */
  readonly wanted: boolean
}

interface ExtentRow {
  readonly contiguous: string | null
  readonly highest: string | null
  readonly seen: number
  readonly wanted: boolean
}

/** A transaction that holds the log's lock: its virtual id, and its backend where it is not a prepared one. */
export interface Holder {
  readonly holder: string
  readonly pid: number | null
}
