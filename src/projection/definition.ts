import type { Event } from "../log/event.ts"
import type { EventType } from "../log/event-type.ts"
import type { Operations } from "./operation.ts"

/** A row of a projection's table: its columns by name. */
export type Row = Readonly<Record<string, unknown>>

/**
 * A projection whose events each become rows: one set-based statement per batch.
 *
 * `fold` is the name of an SQL file. It reads the batch's events from a relation named `batch`, which has the columns of
 * log_events, and writes into its table by its plain name. It must not look at clocks, at chance, or at other tables.
 */
export interface RowsShape {
  readonly shape: "rows"
  readonly fold: `#${string}`
}

/**
 * A projection that keeps one row per thing: the rows of the batch's keys are loaded, folded in memory, and written
 * back once.
 */
export interface EntitiesShape<R extends Row = Row> {
  readonly shape: "entities"
  /** The table and its key column. */
  readonly table: string
  readonly key: keyof R & string
  /** The key of the thing that an event concerns; undefined where it concerns none. */
  readonly keyOf: (event: Event) => string | undefined
  /** The thing after an event; undefined where there is none any more. Pure: no clock, no chance, no reads. */
  readonly fold: (row: R | undefined, event: Event) => R | undefined
}

/** A read model, and the fold that fills it from the log. */
export interface ProjectionDefinition<Ops extends Operations = Operations> {
  readonly name: string
  /** Grows with every change of what the fold does. */
  readonly version: number
  /** What it folds; other types pass it by. */
  readonly events: ReadonlyArray<EventType>
  /** Categories whose events are telemetry. */
  readonly telemetry?: ReadonlyArray<string>
  /** The SQL file that makes its tables, by their plain names. */
  readonly tables: `#${string}`
  /** The plain names of its tables: each is a physical table per generation behind a view of this name. */
  readonly relations: ReadonlyArray<string>
  readonly model: RowsShape | EntitiesShape
  readonly operations: Ops
}
