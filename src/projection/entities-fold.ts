import { Effect } from "effect"
import { quoted } from "../postgres/identifier.ts"
import { statement, type Statement, statementOf } from "../postgres/sql-file.ts"
import type { Event } from "../log/event.ts"
import type { EntitiesShape, Row } from "./definition.ts"
import { attempt, type Fold } from "./fold.ts"
import { PoisonedFold } from "./purity.ts"
import { qualified } from "./sql-source.ts"

/** The statements that load and keep the rows of one table. */
export interface EntityStatements {
  readonly load: Statement
  readonly save: Statement
  readonly remove: Statement
}

export const entityStatements = (
  schema: string,
  table: string,
  key: string,
  columns: ReadonlyArray<string>
): EntityStatements => {
  const names = columns.map(quoted)
  const filled = (file: string): Statement =>
    statementOf(
      statement(file, schema)
        .text.replaceAll(':"table"', () => qualified(schema, table))
        .replaceAll(':"key"', () => quoted(key))
        .replaceAll(":columns", () => names.join(", "))
        .replaceAll(":assignments", () => names.map((name) => `${name} = excluded.${name}`).join(", "))
    )
  return { load: filled("load_entities"), save: filled("save_entities"), remove: filled("delete_entities") }
}

/** What a batch makes of its things. */
interface Outcome {
  /** The rows to write, as JSON; undefined where there is none. */
  readonly saved: string | undefined
  readonly removed: ReadonlyArray<string>
}

const isThenable = (value: object): boolean => "then" in value && typeof value.then === "function"

/** Folds things in memory. `columns` are those of the table. */
export class Things {
  private readonly shape: EntitiesShape
  private readonly columns: ReadonlySet<string>

  constructor(shape: EntitiesShape, columns: ReadonlyArray<string>) {
    this.shape = shape
    this.columns = new Set(columns)
  }

  /** A thing after an event; undefined where there is none any more. Throws what the fold throws, or what is wrong with its row. */
  after(row: Row | undefined, id: string, event: Event): Row | undefined {
    const folded = this.shape.fold(row, event)
    if (folded !== undefined) this.check(folded, id)
    return folded
  }

  keyOf(event: Event): string | undefined {
    return this.shape.keyOf(event)
  }

  /** The key that a row has. */
  keyIn(row: Row): string {
    return String(row[this.shape.key])
  }

  /** The events of a batch that concern a thing, with its key. */
  keyed(events: ReadonlyArray<Event>): ReadonlyArray<readonly [key: string, event: Event]> {
    return events.flatMap((event) => {
      const key = this.keyOf(event)
      return key === undefined ? [] : [[key, event] as const]
    })
  }

  outcome(keyed: ReadonlyArray<readonly [string, Event]>, loaded: ReadonlyArray<Row>): Outcome {
    // Frozen, because a row that was changed in place would not be told from one that was left as it is.
    const before = new Map(loaded.map((row) => [this.keyIn(row), Object.freeze(row)]))
    const after = new Map<string, Row | undefined>(before)
    for (const [id, event] of keyed) after.set(id, this.after(after.get(id), id, event))
    const saved: Array<Row> = []
    const removed: Array<string> = []
    for (const [id, row] of after) {
      if (row === undefined) {
        if (before.has(id)) removed.push(id)
      } else if (row !== before.get(id)) saved.push(row)
    }
    return { saved: saved.length === 0 ? undefined : JSON.stringify(saved), removed }
  }

  /** A column that the table has not would be lost without a word. */
  private check(row: Row, id: string): void {
    if (isThenable(row))
      throw new PoisonedFold("it returned a promise, and folds are pure: they wait for nothing")
    for (const column in row) {
      if (!this.columns.has(column))
        throw new PoisonedFold(`it returned ${JSON.stringify(column)}, which is no column of its table`)
    }
    if (row[this.shape.key] !== id) {
      throw new PoisonedFold(
        `it returned a row with ${this.shape.key} ${JSON.stringify(row[this.shape.key])} for the key ${JSON.stringify(id)}`
      )
    }
  }
}

/** Folds batches by loading the rows of their keys, folding in memory, and writing each row back once. */
export const entitiesFold = (
  shape: EntitiesShape,
  columns: ReadonlyArray<string>,
  { load, save, remove }: EntityStatements
): Fold => {
  const things = new Things(shape, columns)
  return Effect.fnUntraced(function* (connection, events) {
    const keyed = yield* attempt(() => things.keyed(events))
    if (keyed.length === 0) return
    const keys = [...new Set(keyed.map(([key]) => key))]
    const { rows } = yield* connection.query<Row>(load.text, [keys], { name: load.name })
    const { saved, removed } = yield* attempt(() => things.outcome(keyed, rows))
    if (saved !== undefined) yield* connection.query(save.text, [saved], { name: save.name })
    if (removed.length > 0) yield* connection.query(remove.text, [removed], { name: remove.name })
  })
}
