import { Effect } from "effect"
import { retirementStream } from "../../log/retired.ts"
import type { PostgresError } from "../../postgres/error.ts"
import { quoted } from "../../postgres/identifier.ts"
import { statement } from "../../postgres/sql-file.ts"

/** How long the server may take to look through a partition, in ms: as long as Node's timers go. */
export const LONG_ANSWER_MS = 2_147_483_647

/** A category of telemetry, and up to which position it is over. */
export interface Category {
  readonly category: string
  readonly retiredUpTo: number
}

/** Who has still to read a partition. */
export interface Reader {
  readonly kind: "read model" | "rebuild" | "subscription" | "held event"
  readonly name: string
  readonly position: number
}

/** A look at the telemetry after a position. */
export interface TelemetryPage {
  /** Its last position; null where it is empty. */
  readonly last: number | null
  readonly isAll: boolean
  /** The first position that is not old enough; null where all are. */
  readonly newer: number | null
  /** How many events lie before that. */
  readonly seen: number
  /** How many of these are of the category. */
  readonly events: number
}

/** What retention goes by. */
export interface Clock {
  readonly now: Date
  /** How many positions a partition takes. */
  readonly width: number
}

/** The streams of a category lie from the first text on, before the second. */
export const streamsOf = (category: string): readonly [from: string, before: string] => [
  `${category}-`,
  `${category}.`
]

/** Whoever runs statements: all connections, or a transaction. */
export interface Asked {
  readonly query: <Row>(
    sql: string,
    params?: ReadonlyArray<unknown>,
    options?: { readonly answerTimeoutMs?: number }
  ) => Effect.Effect<{ readonly rows: ReadonlyArray<Row> }, PostgresError>
}

/** What retention asks the database; each question answers as of now. */
export class Questions {
  private readonly asked: Asked
  private readonly schema: string

  constructor(asked: Asked, schema: string) {
    this.asked = asked
    this.schema = schema
  }

  private rows<Row>(
    name: string,
    values: ReadonlyArray<unknown> = []
  ): Effect.Effect<ReadonlyArray<Row>, PostgresError> {
    return Effect.map(this.asked.query<Row>(statement(name, this.schema).text, values), ({ rows }) => rows)
  }

  /** The statement of a file that is about one partition. */
  ofPartition(name: string, partition: string): string {
    return statement(name, this.schema).text.replaceAll(':"partition"', () => quoted(partition))
  }

  /** The database's clock: another might take for old what is not. */
  get clock(): Effect.Effect<Clock, PostgresError> {
    return Effect.map(this.rows<Clock>("clock"), ([row]) => row!)
  }

  /** The categories of telemetry, and what the log says of them up to a position. */
  categories(settled: number): Effect.Effect<ReadonlyArray<Category>, PostgresError> {
    return Effect.flatMap(
      this.rows<{ category: string }>("telemetry_categories"),
      Effect.forEach(({ category }) =>
        Effect.map(
          this.rows<{ upTo: number | null }>("retired_up_to", [retirementStream(category), settled]),
          ([row]): Category => ({ category, retiredUpTo: row!.upTo ?? 0 })
        )
      )
    )
  }

  page(
    after: number,
    upTo: number,
    limit: number,
    before: Date,
    category: string
  ): Effect.Effect<TelemetryPage, PostgresError> {
    const values = [after, upTo, limit, before, ...streamsOf(category)]
    return Effect.map(this.rows<TelemetryPage>("telemetry_page", values), ([row]) => row!)
  }

  private isThere(
    name: string,
    partition: string,
    values: ReadonlyArray<unknown>
  ): Effect.Effect<boolean, PostgresError> {
    // Where there is none, the whole partition is looked through.
    return Effect.map(
      this.asked.query<{ holds: boolean }>(this.ofPartition(name, partition), values, {
        answerTimeoutMs: LONG_ANSWER_MS
      }),
      ({ rows: [row] }) => row!.holds
    )
  }

  /** Whether a partition has events of a category. */
  holds(partition: string, category: string): Effect.Effect<boolean, PostgresError> {
    return this.isThere("partition_holds", partition, streamsOf(category))
  }

  /** Whether it has such that were recorded at a time or later. */
  holdsYoung(partition: string, category: string, since: Date): Effect.Effect<boolean, PostgresError> {
    return this.isThere("partition_young", partition, [...streamsOf(category), since])
  }

  /** Whether it has events of none of some categories. */
  holdsOthers(partition: string, categories: ReadonlyArray<string>): Effect.Effect<boolean, PostgresError> {
    return this.isThere("partition_others", partition, [categories])
  }

  /** Who has still to read events of some categories between two positions, both included. */
  readers(
    from: number,
    last: number,
    categories: ReadonlyArray<string>
  ): Effect.Effect<ReadonlyArray<Reader>, PostgresError> {
    return this.rows<Reader>("telemetry_readers", [last, categories, from])
  }

  /** How far the read models are that run; undefined where none does. */
  get folded(): Effect.Effect<number | undefined, PostgresError> {
    return Effect.map(
      this.rows<{ position: number | null }>("lag_of_folds"),
      ([row]) => row!.position ?? undefined
    )
  }

  /** Whether sums of measurements are kept at all. */
  get hasRollups(): Effect.Effect<boolean, PostgresError> {
    return Effect.map(this.rows("rollups_at"), (rows) => rows.length > 0)
  }
}
