import { Data, Effect } from "effect"
import type { PostgresError } from "../postgres/error.ts"
import type { Postgres, Queryable } from "../postgres/postgres.ts"
import { statement } from "../postgres/sql-file.ts"

/** Another process folds this projection: nothing was written here. */
export class Overtaken extends Data.TaggedError("Overtaken") {}

/** What stopped a projection, as its row keeps it. */
export interface RecordedError {
  readonly position: number
  readonly type: string
  readonly message: string
}

/** The row of a projection. */
export interface Registered {
  readonly version: number
  readonly hash: string
  readonly generation: number
  /** Grows when it changes hands, and when its tables are replaced. */
  readonly epoch: number
  /** The engine that folds it, if it is alive. */
  readonly owner: string | null
  readonly position: number
  readonly state: "running" | "stopped"
  readonly error: RecordedError | null
  /** Where the log's sequence is. */
  readonly head: number
}

/** Where a process believes a projection to be. */
export type Cursor = Pick<Registered, "hash" | "epoch" | "position" | "owner">

/** Where a cursor goes, and how many events per second were folded on the way there. */
export interface Move {
  readonly to: number
  readonly rate: number
}

interface ProjectionRow {
  readonly version: number
  readonly definition_hash: string
  readonly generation: number
  readonly epoch: number
  readonly owner: string | null
  readonly position: string
  readonly state: "running" | "stopped"
  readonly error: RecordedError | null
  readonly head: string
}

const registered = (row: ProjectionRow): Registered => ({
  version: row.version,
  hash: row.definition_hash,
  generation: row.generation,
  epoch: row.epoch,
  owner: row.owner,
  position: Number(row.position),
  state: row.state,
  error: row.error,
  head: Number(row.head)
})

/** The table of projections: which there are, and how far each has come. */
export class Registry {
  private readonly postgres: Postgres["Service"]
  private readonly statements

  constructor(postgres: Postgres["Service"]) {
    this.postgres = postgres
    const named = (name: string) => statement(name, postgres.schema)
    this.statements = {
      load: named("load_projection"),
      insert: named("insert_projection"),
      claim: named("claim_projection"),
      release: named("release_projection"),
      move: named("move_projection"),
      stop: named("stop_projection"),
      names: named("projection_names"),
      lock: named("lock_projection"),
      swap: named("swap_projection")
    }
  }

  load(
    name: string,
    connection: Queryable = this.postgres
  ): Effect.Effect<Registered | undefined, PostgresError> {
    const { text, name: prepared } = this.statements.load
    return Effect.map(connection.query<ProjectionRow>(text, [name], { name: prepared }), ({ rows: [row] }) =>
      row === undefined ? undefined : registered(row)
    )
  }

  /** Those that are there. */
  names(connection: Queryable): Effect.Effect<ReadonlyArray<string>, PostgresError> {
    return Effect.map(connection.query<{ name: string }>(this.statements.names.text), ({ rows }) =>
      rows.map(({ name }) => name)
    )
  }

  /** As `load`, and holds the row to the end of the transaction. */
  lock(name: string, connection: Queryable): Effect.Effect<Registered | undefined, PostgresError> {
    return Effect.map(connection.query<ProjectionRow>(this.statements.lock.text, [name]), ({ rows: [row] }) =>
      row === undefined ? undefined : registered(row)
    )
  }

  /** The tables of a generation take the place of those that are live, under a new epoch. */
  swap(
    connection: Queryable,
    name: string,
    to: Pick<Registered, "version" | "hash" | "generation">,
    position: number
  ): Effect.Effect<void, PostgresError> {
    const values = [name, to.version, to.hash, to.generation, position]
    return Effect.asVoid(connection.query(this.statements.swap.text, values))
  }

  /** Makes an engine the owner, where nobody alive is, under a new epoch; undefined where it did not become that. */
  claim(name: string, hash: string, engine: string): Effect.Effect<Registered | undefined, PostgresError> {
    const { text } = this.statements.claim
    return Effect.map(this.postgres.query<ProjectionRow>(text, [name, hash, engine]), ({ rows: [row] }) =>
      row === undefined ? undefined : registered(row)
    )
  }

  /** Leaves a projection to others, unless it has changed hands since it was claimed. */
  release(
    name: string,
    { epoch, owner }: Pick<Cursor, "epoch" | "owner">
  ): Effect.Effect<void, PostgresError> {
    return Effect.asVoid(this.postgres.query(this.statements.release.text, [name, epoch, owner]))
  }

  insert(
    connection: Queryable,
    name: string,
    version: number,
    hash: string,
    generation = 1
  ): Effect.Effect<void, PostgresError> {
    return Effect.asVoid(connection.query(this.statements.insert.text, [name, version, hash, generation]))
  }

  /** Moves a cursor from where this process believes it to be; fails with Overtaken, and waits for nobody, where it is not there. */
  move(
    name: string,
    { hash, epoch, position, owner }: Cursor,
    { to, rate }: Move,
    connection: Queryable = this.postgres
  ): Effect.Effect<void, PostgresError | Overtaken> {
    const { text, name: prepared } = this.statements.move
    return Effect.flatMap(
      connection.query(text, [name, hash, epoch, position, to, owner, rate], { name: prepared }),
      ({ count }) => (count === 0 ? Effect.fail(new Overtaken()) : Effect.void)
    )
  }

  /** Records what stopped a projection where it stands; fails with Overtaken where another process got past it. */
  stop(
    name: string,
    { hash, epoch, position }: Cursor,
    error: RecordedError
  ): Effect.Effect<void, PostgresError | Overtaken> {
    return Effect.flatMap(
      this.postgres.query(this.statements.stop.text, [name, hash, epoch, position, JSON.stringify(error)]),
      ({ count }) => (count === 0 ? Effect.fail(new Overtaken()) : Effect.void)
    )
  }
}
