import { Effect } from "effect"
import type { PostgresError } from "../../postgres/error.ts"
import type { Connection, Postgres } from "../../postgres/postgres.ts"
import { statement } from "../../postgres/sql-file.ts"
import type { Fleet } from "../../fleet/fleet.ts"
import { EventTypes } from "../../log/event-type.ts"
import type { Feed } from "../../log/feed.ts"
import type { Blueprint } from "../blueprint.ts"
import type { Fold } from "../fold.ts"
import type { Generation } from "../generation.ts"
import { Overtaken, type Registry } from "../registry.ts"
import type { Generations } from "./generations.ts"
import type { Pace } from "./pace.ts"

/** What rebuilds work with; shared by all of an engine. */
export interface RebuildParts {
  readonly postgres: Postgres["Service"]
  readonly feed: Feed["Service"]
  readonly fleet: Fleet["Service"]
  readonly registry: Registry
  readonly generations: Generations
  /** The tries of this engine that are under way. */
  readonly active: Set<string>
}

/** How long a transaction of a rebuild may sit idle before the server ends it, in ms: what a stalled process leaves must not stay. */
const IDLE_MS = 10_000

/** How long a try that was given up waits for a statement of its own that still runs, in ms; then the next rebuild cleans up. */
const ABANDON_MS = 3_000

/**
 * One try to build the tables of a generation, which nobody else reads or writes. Each of its transactions begins by holding
 * its row: where the try was given up meanwhile, that finds nothing, and nothing is written.
 */
export class Build {
  readonly blueprint: Blueprint
  readonly generation: Generation
  readonly number: number
  /** The fold into its tables, as it is done live. */
  readonly fold: Fold
  readonly pace: Pace
  /** The types as this definition declares them, whatever others of the process do. */
  readonly types = new EventTypes()
  /** Everything up to here is folded into its tables. */
  position = 0
  private readonly parts: RebuildParts
  readonly id: string | undefined

  /** `id`: the try, as the table of generations has it; none for tables that are in no such table, and that nobody takes over. */
  constructor(parts: RebuildParts, generation: Generation, id: string | undefined, fold: Fold, pace: Pace) {
    const { blueprint, number } = generation
    this.parts = parts
    this.blueprint = blueprint
    this.number = number
    this.id = id
    this.fold = fold
    this.pace = pace
    this.generation = generation
    this.types.declare(blueprint.definition.events)
  }

  get name(): string {
    return this.blueprint.definition.name
  }

  /** The types that it folds. */
  get wanted(): ReadonlyArray<string> {
    return this.blueprint.definition.events.map(({ type }) => type)
  }

  /** Those of its types that have changed, and their versions now. */
  get changed(): { readonly types: ReadonlyArray<string>; readonly versions: ReadonlyArray<number> } {
    const changed = this.blueprint.definition.events.filter(({ schemaVersion }) => schemaVersion > 1)
    return {
      types: changed.map(({ type }) => type),
      versions: changed.map(({ schemaVersion }) => schemaVersion)
    }
  }

  private get key(): ReadonlyArray<unknown> {
    return [this.name, this.number, this.id]
  }

  /** Fails with Overtaken where the try was given up; beside others of its transactions, or `alone`. */
  hold(connection: Connection, alone = false): Effect.Effect<void, PostgresError | Overtaken> {
    if (this.id === undefined) return Effect.void
    const { text, name } = statement(alone ? "lock_build" : "hold_build", this.parts.postgres.schema)
    return Effect.flatMap(connection.query(text, this.key, { name }), ({ count }) =>
      count === 0 ? Effect.fail(new Overtaken()) : Effect.void
    )
  }

  /** A transaction that writes into its tables. */
  transaction<A, E>(
    use: (connection: Connection) => Effect.Effect<A, E>
  ): Effect.Effect<A, E | PostgresError | Overtaken> {
    return this.parts.postgres.transaction(
      (connection) => Effect.andThen(this.hold(connection), use(connection)),
      { idleMs: IDLE_MS }
    )
  }

  /** Writes down how far it is, for others to see; where that fails, the next time will do. */
  readonly note: Effect.Effect<void> = Effect.suspend(() => {
    const { text } = statement("note_build", this.parts.postgres.schema)
    const { events, target, position } = this.pace
    return Effect.ignore(this.parts.postgres.query(text, [...this.key, position, events, target]))
  })

  /** Drops its tables, unless they are live by now. */
  readonly abandon: Effect.Effect<void, PostgresError> = Effect.suspend(() => {
    const { postgres } = this.parts
    const { text } = statement("abandon_build", postgres.schema)
    return postgres.transaction((connection) =>
      Effect.gen({ self: this }, function* () {
        yield* connection.query(`set local lock_timeout = ${ABANDON_MS}`)
        const { count } = yield* connection.query(text, this.key)
        if (count > 0) yield* connection.query(`drop table if exists ${this.generation.tables.join(", ")}`)
      })
    )
  })

  /** Leaves its tables to whoever cleans up next. */
  readonly leave: Effect.Effect<void, PostgresError> = Effect.suspend(() => {
    const { text } = statement("leave_build", this.parts.postgres.schema)
    return Effect.asVoid(this.parts.postgres.query(text, this.key))
  })
}
