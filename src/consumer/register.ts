import { Effect } from "effect"
import type { Filter } from "../log/filter.ts"
import { LockTimeout, PostgresError } from "../postgres/error.ts"
import type { Postgres, Queryable } from "../postgres/postgres.ts"
import { statement } from "../postgres/sql-file.ts"
import { type ConsumerError, consumerError, UnknownSubscription } from "./error.ts"
import { lockTimeout, TAKE_MS, takeAll } from "./taking.ts"

/** The row of a subscription. */
export interface Registered {
  readonly name: string
  readonly filter: Filter
  readonly partitions: number
  readonly state: "running" | "paused"
  /** The furthest of its cursors, and where the log ends. */
  readonly furthest: number
  readonly head: number
}

interface RegisteredRow {
  readonly name: string
  readonly filter: Filter
  readonly partitions: number
  readonly state: "running" | "paused"
  readonly furthest: string
  readonly head: string
}

/** Runs a statement of schema/queries. */
export type Ask = <Row>(
  query: string,
  values: ReadonlyArray<unknown>
) => Effect.Effect<ReadonlyArray<Row>, PostgresError>

/** The table of subscriptions: which there are, what they want, and what is to become of them. */
export class Register {
  private readonly postgres: Postgres["Service"]
  private readonly tell: Effect.Effect<void>

  /** `tell` has all engines look. */
  constructor(postgres: Postgres["Service"], tell: Effect.Effect<void>) {
    this.postgres = postgres
    this.tell = tell
  }

  /** Makes a subscription where there is none of that name. */
  insert(
    name: string,
    filter: Filter,
    partitions: number,
    position: number
  ): Effect.Effect<void, PostgresError> {
    return Effect.asVoid(
      this.ask("insert_subscription", [name, JSON.stringify(filter), partitions, position])
    )
  }

  load(name: string): Effect.Effect<Registered | undefined, PostgresError> {
    return Effect.map(this.ask<RegisteredRow>("load_subscription", [name]), ({ rows: [row] }) =>
      row === undefined ? undefined : { ...row, furthest: Number(row.furthest), head: Number(row.head) }
    )
  }

  /** An engine has a handler for it; where there is no such subscription, nothing is done. */
  join(name: string, engine: string): Effect.Effect<void, PostgresError> {
    return Effect.asVoid(this.ask("join_subscription", [name, engine]))
  }

  /** An engine has no handler for it any more; how many cursors it owns yet, because somebody is at them in this moment. */
  leave(name: string, engine: string): Effect.Effect<number, PostgresError> {
    const released = this.ask<{ kept: number }>("release_partitions", [name, engine])
    return Effect.andThen(
      this.ask("leave_subscription", [name, engine]),
      Effect.map(released, ({ rows: [row] }) => row!.kept)
    )
  }

  /**
   * Changes a subscription in a transaction that ends its epochs first: its owners write nothing after that, give it up, and claim it
   * again. Fails with UnknownSubscription, and with LockTimeout where somebody is at it for TAKE_MS.
   */
  change<A, E>(
    name: string,
    work: (ask: Ask) => Effect.Effect<A, E>
  ): Effect.Effect<A, E | PostgresError | ConsumerError> {
    return this.postgres.transaction((connection) => {
      const ask = this.asking(connection)
      return Effect.gen({ self: this }, function* () {
        yield* connection.query(`set local lock_timeout = ${TAKE_MS}`)
        yield* this.lock(name, connection)
        yield* takeAll(name, ask, this.tell)
        return yield* work(ask)
      })
    })
  }

  /** Runs statements in a transaction that is there already. */
  asking(connection: Queryable): Ask {
    return <Row>(query: string, values: ReadonlyArray<unknown>) =>
      Effect.map(this.ask<Row>(query, values, connection), ({ rows }) => rows)
  }

  private lock(name: string, connection: Queryable): Effect.Effect<void, PostgresError | ConsumerError> {
    const locked = Effect.mapError(this.ask("lock_subscription", [name], connection), (error) =>
      error.reason instanceof LockTimeout ? lockTimeout(name, "by another change of it") : error
    )
    return Effect.flatMap(locked, ({ count }) =>
      count === 0 ? Effect.fail(consumerError(new UnknownSubscription({ subscription: name }))) : Effect.void
    )
  }

  ask<Row>(query: string, values: ReadonlyArray<unknown>, connection: Queryable = this.postgres) {
    const { text, name } = statement(query, this.postgres.schema)
    return connection.query<Row>(text, values, { name })
  }
}
