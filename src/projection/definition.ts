import type { Effect } from "effect"
import type { Event } from "../log/event.ts"
import type { EventType } from "../log/event-type.ts"
import type { PostgresError } from "../postgres/error.ts"
import type { FoldFailed } from "./fold.ts"
import type { Operations } from "./operation.ts"
import type { SqlSource } from "./sql-source.ts"

/** A row of a projection's table: its columns by name. */
export type Row = Readonly<Record<string, unknown>>

/**
 * A projection whose events each become rows: one set-based statement per batch.
 *
 * `fold` is one SQL statement that reads the batch's events from `:batch`, which has the columns of log_events, and writes
 * into its tables as `:"table"`. Batches may be cut anywhere, so its outcome must not depend on where. It may not look at
 * clocks, at chance, or at other tables: a fold that does is refused at registration.
 */
export interface RowsShape {
  readonly shape: "rows"
  readonly fold: SqlSource
  readonly retirement?: Retirement
}

/** What becomes of the rows of a category of telemetry that retention says is over. */
export interface Retirement {
  /** The category, whose events alone the rows are of. */
  readonly of: string
  /**
   * One SQL statement that deletes what was made of events up to and with position `$1`: it is run when the log says that these are over. The fold sees
   * nothing of it.
   */
  readonly sql: SqlSource
}

/**
 * A projection that keeps one row per thing: the rows of a batch's keys are loaded, folded in memory, and written back once.
 *
 * A row comes to the fold as the database holds it: timestamptz as a Date, jsonb parsed, bigint and numeric as text; and it
 * goes back as JSON, so a Date, a text or null do for a timestamptz. What a row leaves out is null.
 */
export interface EntitiesShape<R extends Row = Row> {
  readonly shape: "entities"
  /** The table and its key column, which is a text and unique. */
  readonly table: string
  readonly key: keyof R & string
  /** The key of the thing that an event concerns; undefined where it concerns none. */
  readonly keyOf: (event: Event) => string | undefined
  /**
   * The thing after an event; undefined where there is none any more. Pure: no clock, no chance, no reads; calls of the
   * clock or of chance throw. A method, so that a list of projections may hold rows of any type.
   */
  fold(row: R | undefined, event: Event): R | undefined
}

/** What a fold of batches may ask of the server, inside the transaction that moves its cursor. */
export interface FoldTables {
  /**
   * Runs a statement, prepared once per connection; it names the projection's tables as `:"table"`. It may read the log below the
   * batch, too, as `:"schema".events`: of its durable events, that is as immutable as the batch; retention drops telemetry.
   */
  readonly query: <R = Record<string, unknown>>(
    sql: SqlSource,
    params: ReadonlyArray<unknown>
  ) => Effect.Effect<ReadonlyArray<R>, PostgresError>
  /** Runs code that may throw, with the clock and chance out of its reach: what it throws is the batch's fault. */
  readonly attempt: <A>(own: () => A) => Effect.Effect<A, FoldFailed>
}

/**
 * A projection for what neither rows nor entities can say: its events change rows of several tables, by what is in them. Batches may
 * be cut anywhere, so the outcome must not depend on where.
 */
export interface BatchesShape extends BatchesOptions {
  readonly shape: "batches"
  readonly fold: (
    events: ReadonlyArray<Event>,
    tables: FoldTables
  ) => Effect.Effect<void, PostgresError | FoldFailed>
}

export interface BatchesOptions {
  /**
   * Each statement of the fold looks its rows up by an index: it is planned once per connection, without sequential scans, hash joins and
   * merge joins. Where that holds, it saves the planning, and a plan that was made while tables were empty does no harm. Default: false.
   */
  readonly byIndex?: boolean
}

/** A read model, and the fold that fills it from the log. */
export interface ProjectionDefinition<Ops extends Operations = Operations> {
  /** Lower-case letters, digits and _. */
  readonly name: string
  /** Grows with every change of what the fold does. */
  readonly version: number
  /** What it folds; other types pass it by. */
  readonly events: ReadonlyArray<EventType>
  /** Categories whose events are telemetry. */
  readonly telemetry?: ReadonlyArray<string>
  /** The SQL that makes its tables, each named by a variable: `create table :"agents" (…)`. Of several files, one after the other. */
  readonly tables: SqlSource | ReadonlyArray<SqlSource>
  /** The plain names of its tables: each is a physical table per generation behind a view of this name. */
  readonly relations: ReadonlyArray<string>
  readonly model: RowsShape | EntitiesShape | BatchesShape
  /** The SQL of views on its relations, made with them: `create or replace view :"home".idle as select … from :"home".agents`. */
  readonly views?: SqlSource
  /**
   * The read model under whose name its operations go, where that is another: `metrics`, for what is kept of metrics beside them.
   * Default: its own.
   */
  readonly operationsOf?: string
  /** Its commands and queries, by verb. */
  readonly operations: Ops
}

/** Defines a projection; the types of its operations come from here. */
export const projection = <const Ops extends Operations>(
  definition: ProjectionDefinition<Ops>
): ProjectionDefinition<Ops> => definition

/** The entities shape for rows of one type. */
export const entities = <R extends Row>(shape: Omit<EntitiesShape<R>, "shape">): EntitiesShape<R> => ({
  ...shape,
  shape: "entities"
})

/** The rows shape; of telemetry, with what becomes of rows that are over. */
export const rows = (fold: SqlSource, retirement?: Retirement): RowsShape => ({
  shape: "rows",
  fold,
  ...(retirement === undefined ? {} : { retirement })
})

/** The batches shape. */
export const batches = (fold: BatchesShape["fold"], options: BatchesOptions = {}): BatchesShape => ({
  ...options,
  shape: "batches",
  fold
})
