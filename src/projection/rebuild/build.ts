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

/** How long a try that lost its connection waits at once for a transaction that the server still has, in ms. */
const RECOVER_LOCK_MS = 3_000

/** Everything after a position, up to and with another. */
export interface Stretch {
  readonly from: number
  readonly to: number
}

interface BuildRow {
  readonly state: "building" | "live" | "kept"
  readonly position: string
  readonly events: string
  readonly stretches: ReadonlyArray<Stretch>
}

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
  /** How many events of its types are folded. */
  events = 0
  /** What is folded beyond that, in order: left by stretches that were folded at once when the connection was lost. */
  private islands: ReadonlyArray<Stretch> = []
  protected readonly parts: RebuildParts
  /** The try, as its row has it. */
  readonly id: string

  constructor(parts: RebuildParts, generation: Generation, id: string, fold: Fold, pace: Pace) {
    const { blueprint, number } = generation
    this.parts = parts
    this.blueprint = blueprint
    this.number = number
    this.id = id
    this.fold = fold
    this.pace = pace
    this.generation = generation
    this.types.declare(blueprint.events)
  }

  get name(): string {
    return this.blueprint.definition.name
  }

  /** The types that it folds. */
  get wanted(): ReadonlyArray<string> {
    return this.blueprint.events.map(({ type }) => type)
  }

  /** Those of its types that have changed, and their versions now. */
  get changed(): { readonly types: ReadonlyArray<string>; readonly versions: ReadonlyArray<number> } {
    const changed = this.blueprint.events.filter(({ schemaVersion }) => schemaVersion > 1)
    return {
      types: changed.map(({ type }) => type),
      versions: changed.map(({ schemaVersion }) => schemaVersion)
    }
  }

  private get key(): ReadonlyArray<unknown> {
    return [this.name, this.number, this.id]
  }

  /** How much is folded, counted in positions. */
  get extent(): number {
    return this.islands.reduce((sum, { from, to }) => sum + to - from, this.position)
  }

  /** The next stretch after a position that is not folded yet; empty where there is none. */
  gap(after: number, upTo: number): Stretch {
    let from = after
    for (const island of this.islands) {
      if (island.from > from) return { from, to: Math.min(upTo, island.from) }
      from = Math.max(from, island.to)
    }
    return { from, to: upTo }
  }

  /** Everything up to a position is folded. */
  reach(position: number): void {
    this.position = position
    this.islands = this.islands.filter(({ to }) => to > position)
  }

  /** Fails with Overtaken where the try was given up; beside others of its transactions, or `alone`. */
  hold(connection: Connection, alone = false): Effect.Effect<void, PostgresError | Overtaken> {
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

  /** Folds a stretch with so many events of its types, in a transaction that writes down that this is done. */
  advance<E = never>(
    { from, to }: Stretch,
    events: number,
    fold: (connection: Connection) => Effect.Effect<unknown, E> = () => Effect.void
  ): Effect.Effect<void, E | PostgresError | Overtaken> {
    const { text, name } = statement("record_folded", this.parts.postgres.schema)
    const recorded = [...this.key, from, to, events]
    const advancing = this.transaction((connection) =>
      Effect.andThen(fold(connection), connection.query(text, recorded, { name }))
    )
    return Effect.map(advancing, () => {
      this.events += events
    })
  }

  /** Throws away what is folded. */
  readonly empty: Effect.Effect<void, PostgresError | Overtaken> = Effect.suspend(() =>
    Effect.map(
      this.transaction((connection) =>
        Effect.andThen(
          connection.query(`truncate ${this.generation.tables.join(", ")}`),
          this.forget(connection)
        )
      ),
      () => this.resume([], 0)
    )
  )

  /** Nothing is folded yet, as its row says. */
  protected forget(connection: Connection): Effect.Effect<unknown, PostgresError> {
    return connection.query(statement("forget_folded", this.parts.postgres.schema).text, this.key)
  }

  private resume([first, ...rest]: ReadonlyArray<Stretch>, events: number): void {
    const isFromTheStart = first?.from === 0
    this.position = isFromTheStart ? first.to : 0
    this.islands = first === undefined || isFromTheStart ? rest : [first, ...rest]
    this.events = events
    this.pace.resume(this.position, events)
  }

  /**
   * Finds out what is folded, after a connection was lost: what was under way on it may have been done or not. Waits a while for the
   * server to end that, and fails with LockTimeout; with Overtaken where the try was given up meanwhile.
   */
  readonly recover: Effect.Effect<void, PostgresError | Overtaken> = Effect.suspend(() => {
    const held = this.parts.postgres.transaction((connection) =>
      Effect.gen({ self: this }, function* () {
        yield* connection.query(`set local lock_timeout = ${RECOVER_LOCK_MS}`)
        yield* this.hold(connection, true)
        const { stretches, events } = (yield* this.load(connection))!
        this.resume(stretches, Number(events))
      })
    )
    return Effect.catchTag(held, "Overtaken", (overtaken) =>
      Effect.flatMap(this.livePosition, (position) =>
        position === undefined ? Effect.fail(overtaken) : Effect.void
      )
    )
  })

  /** Up to where its tables were filled when they went live; undefined where they did not. */
  readonly livePosition: Effect.Effect<number | undefined, PostgresError> = Effect.suspend(() =>
    Effect.map(this.load(this.parts.postgres), (row) =>
      row === undefined || row.state === "building" ? undefined : Number(row.position)
    )
  )

  private load(connection: Pick<Connection, "query">): Effect.Effect<BuildRow | undefined, PostgresError> {
    const { text } = statement("load_build", this.parts.postgres.schema)
    return Effect.map(connection.query<BuildRow>(text, this.key), ({ rows }) => rows[0])
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
