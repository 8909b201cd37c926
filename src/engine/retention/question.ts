import { Effect } from "effect"
import type { PostgresError } from "../../postgres/error.ts"
import { quoted } from "../../postgres/identifier.ts"
import type { Postgres } from "../../postgres/postgres.ts"
import { statement } from "../../postgres/sql-file.ts"

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
  /** How many events of the category lie before that. */
  readonly events: number
}

/** The streams of a category lie from the first text on, before the second. */
export const streamsOf = (category: string): readonly [from: string, before: string] => [
  `${category}-`,
  `${category}.`
]

/** What retention asks the database; each question answers as of now. */
export class Questions {
  private readonly asked: Pick<Postgres["Service"], "query">
  private readonly schema: string

  constructor(asked: Pick<Postgres["Service"], "query">, schema: string) {
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
  get now(): Effect.Effect<Date, PostgresError> {
    return Effect.map(this.rows<{ now: Date }>("clock"), ([row]) => row!.now)
  }

  get categories(): Effect.Effect<ReadonlyArray<Category>, PostgresError> {
    return this.rows<Category>("telemetry_categories")
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

  holds(partition: string, category: string): Effect.Effect<boolean, PostgresError> {
    return Effect.map(
      this.asked.query<{ holds: boolean }>(
        this.ofPartition("partition_holds", partition),
        streamsOf(category)
      ),
      ({ rows: [row] }) => row!.holds
    )
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

  /** Up to where sums of measurements are folded; undefined where nobody keeps them. */
  get rollupsAt(): Effect.Effect<number | undefined, PostgresError> {
    return Effect.map(this.rows<{ position: number }>("rollups_at"), ([row]) => row?.position)
  }
}
