import { Data, Effect } from "effect"
import type { Filter } from "../log/filter.ts"
import type { LogIdentity, Origin, Unrecognised } from "../log/identity.ts"
import type { PostgresError } from "../postgres/error.ts"
import type { Postgres, Queryable } from "../postgres/postgres.ts"
import { type Statement, statement } from "../postgres/sql-file.ts"
import type { Attempted, Held, Tried } from "./held.ts"

/** Another engine owns the partition, or somebody is at its row in this moment: nothing was written. */
export class Overtaken extends Data.TaggedError("Overtaken") {}

/** The server is another one than the events came from: nothing was written. */
export class Doubtful extends Data.TaggedError("Doubtful") {}

/** Where an owner believes a partition to be. */
export interface Place {
  readonly name: string
  readonly partition: number
  readonly epoch: number
  readonly owner: string
  readonly position: number
}

/** A partition that was just claimed. */
export interface Claimed {
  readonly place: Place
  /** Of how many partitions it is one. */
  readonly of: number
  readonly filter: Filter
  /** Where it stops, for the streams to be dealt anew. */
  readonly limit: number | undefined
}

interface ClaimedRow {
  readonly partition: number
  readonly epoch: number
  readonly position: string
  readonly next_at: string | null
  readonly partitions: number
  readonly filter: Filter
}

interface PlaceRow {
  readonly owner: string | null
  readonly epoch: number
  readonly position: string
  readonly is_clean: boolean
  readonly begun: string | null
  readonly head: string
}

/** Of a held event. */
const STATES = ["retrying", "waiting", "parked", "dropped"]

interface TriedRow {
  readonly position: string
  readonly stream: string
  readonly type: string
  readonly attempts: number
  readonly errors: ReadonlyArray<Attempted>
  readonly is_dropped: boolean
  readonly turn: string
}

const tried = ({ position, stream, type, attempts, errors, is_dropped, turn }: TriedRow): Tried => ({
  position: Number(position),
  stream,
  type,
  attempts,
  errors,
  isDropped: is_dropped,
  turn: Number(turn)
})

/** What an owner changes beside its cursor. */
export interface Changes {
  /** How many events per second it handles. */
  readonly rate: number
  readonly held?: ReadonlyArray<Held>
  /** The positions of held events that are handled now. */
  readonly done?: ReadonlyArray<number>
  /** The event that is about to be handed over, where its owner is careful. */
  readonly begun?: number
}

/** What comes next in a stream of which a held event is handled now. */
export interface Ahead {
  readonly stream: string
  /** The position of what waited behind it; undefined where nothing did. */
  readonly next: number | undefined
  readonly isHeld: boolean
}

interface AheadRow {
  readonly stream: string | null
  readonly is_held: boolean | null
  readonly next: string | null
}

const ahead = ({ stream, is_held, next }: AheadRow): ReadonlyArray<Ahead> =>
  stream === null
    ? []
    : [{ stream, isHeld: is_held === true, next: next === null ? undefined : Number(next) }]

/** The partitions of subscriptions and what they hold, as their owners read and write them. */
export class Places {
  private readonly postgres: Postgres["Service"]
  private readonly identity: LogIdentity["Service"]

  constructor(postgres: Postgres["Service"], identity: LogIdentity["Service"]) {
    this.postgres = postgres
    this.identity = identity
  }

  /** Makes an engine the owner of up to so many partitions that nobody alive owns, under new epochs. */
  claim(
    name: string,
    engine: string,
    most: number,
    except: ReadonlyArray<number>
  ): Effect.Effect<ReadonlyArray<Claimed>, PostgresError> {
    const claimed = this.ask<ClaimedRow>("claim_partitions", [name, engine, most, except])
    return Effect.map(claimed, (rows) =>
      rows.map((row) => ({
        place: {
          name,
          partition: row.partition,
          epoch: row.epoch,
          owner: engine,
          position: Number(row.position)
        },
        of: row.partitions,
        filter: row.filter,
        limit: row.next_at === null ? undefined : Number(row.next_at)
      }))
    )
  }

  /** Whose a partition is and how far; undefined where it is not there any more. */
  load(name: string, partition: number) {
    return Effect.map(this.ask<PlaceRow>("load_place", [name, partition]), ([row]) =>
      row === undefined
        ? undefined
        : {
            owner: row.owner,
            epoch: row.epoch,
            position: Number(row.position),
            head: Number(row.head),
            isClean: row.is_clean,
            begun: row.begun === null ? undefined : Number(row.begun)
          }
    )
  }

  /**
   * Moves a cursor from where its owner believes it to be, and writes what goes with that. Fails with Overtaken where it is not
   * there under this epoch, and with Doubtful where the connection leads to another log or epoch than the events came from.
   */
  keep(
    place: Place,
    origin: Origin,
    to: number,
    changes: Changes
  ): Effect.Effect<ReadonlyArray<Ahead>, Unrecognised | Overtaken | Doubtful> {
    return this.postgres.withConnection((connection) =>
      Effect.andThen(
        this.sure(connection, origin),
        Effect.suspend(() => this.keepIn(connection, place, to, changes))
      )
    )
  }

  /**
   * Whoever holds a connection asks this before he writes: it may lead to another server than the one the events came from. He asks
   * there and then, since whatever else he did in a doubt would have to be done again, handler and all.
   */
  sure(connection: Queryable, origin: Origin): Effect.Effect<void, Unrecognised | Doubtful> {
    return Effect.flatMap(this.identity.isStill(origin, connection), (isStill) =>
      isStill ? Effect.void : Effect.fail(new Doubtful())
    )
  }

  /** The same in a transaction, of which the first statement is this. */
  keepIn(
    connection: Queryable,
    place: Place,
    to: number,
    { rate, held = [], done = [], begun }: Changes
  ): Effect.Effect<ReadonlyArray<Ahead>, PostgresError | Overtaken> {
    const { name, partition, epoch, owner, position } = place
    const { text, name: prepared } = this.statement("keep_place")
    const changes = [JSON.stringify(held), done, rate, begun ?? null]
    const values = [name, partition, epoch, owner, position, to, ...changes]
    return Effect.flatMap(
      connection.query<AheadRow>(text, values, { name: prepared }),
      ({ rows }): Effect.Effect<ReadonlyArray<Ahead>, Overtaken> =>
        rows.length === 0 ? Effect.fail(new Overtaken()) : Effect.succeed(rows.flatMap(ahead))
    )
  }

  release({ name, partition, epoch, owner }: Place): Effect.Effect<void, PostgresError> {
    return Effect.asVoid(this.ask("release_partition", [name, partition, epoch, owner]))
  }

  stop({ name, partition, epoch, owner }: Place, error: object): Effect.Effect<void, PostgresError> {
    return Effect.asVoid(this.ask("stop_partition", [name, partition, epoch, owner, JSON.stringify(error)]))
  }

  /** The streams of which events are held, so many at most. */
  heldStreams({ name, partition }: Place, most: number): Effect.Effect<ReadonlyArray<string>, PostgresError> {
    return Effect.map(this.ask<{ stream: string }>("held_streams", [name, partition, most]), (rows) =>
      rows.map(({ stream }) => stream)
    )
  }

  /** Which held events are tried again, and in how many ms, the next first. */
  retrying({ name, partition }: Place, most: number) {
    return Effect.map(
      this.ask<{ position: string; due_ms: number }>("retrying_events", [name, partition, most]),
      (rows) => rows.map(({ position, due_ms }) => ({ position: Number(position), dueMs: due_ms }))
    )
  }

  /** Held events whose time has come, and behind each of them its share of those that wait for it. */
  due(
    { name, partition }: Place,
    most: number,
    mostBehind: number
  ): Effect.Effect<ReadonlyArray<Tried>, PostgresError> {
    return Effect.map(this.ask<TriedRow>("due_events", [name, partition, most, mostBehind]), (rows) =>
      rows.map(tried)
    )
  }

  /** What the handler failed with on a held event; undefined where that is not held. */
  errorsOf({ name }: Place, position: number) {
    return Effect.map(
      this.ask<Pick<TriedRow, "position" | "errors">>("list_held", [name, STATES, position - 1, 1]),
      ([row]) => (row !== undefined && Number(row.position) === position ? row.errors : undefined)
    )
  }

  /** Whether the streams of a subscription were dealt anew just now. */
  deal(name: string): Effect.Effect<boolean, PostgresError> {
    return Effect.map(
      this.ask<{ is_dealt: boolean }>("deal_subscription", [name]),
      ([row]) => row?.is_dealt === true
    )
  }

  private statement(query: string): Statement {
    return statement(query, this.postgres.schema)
  }

  private ask<Row>(
    query: string,
    values: ReadonlyArray<unknown>
  ): Effect.Effect<ReadonlyArray<Row>, PostgresError> {
    const { text, name } = this.statement(query)
    return Effect.map(this.postgres.query<Row>(text, values, { name }), ({ rows }) => rows)
  }
}
