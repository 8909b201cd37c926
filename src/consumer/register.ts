import { Effect } from "effect"
import type { Filter } from "../log/filter.ts"
import type { PostgresError } from "../postgres/error.ts"
import type { Connection, Postgres } from "../postgres/postgres.ts"
import { statement } from "../postgres/sql-file.ts"
import { type ConsumerError, consumerError, UnknownSubscription } from "./error.ts"

/** How long a change waits for a handler that is at work in its transaction, in ms. */
const LOCK_MS = 5_000

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

type Queryable = Pick<Connection, "query">

/** The table of subscriptions: which there are, what they want, and what is to become of them. */
export class Register {
  private readonly postgres: Postgres["Service"]

  constructor(postgres: Postgres["Service"]) {
    this.postgres = postgres
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

  /** An engine has a handler for it; false where there is no such subscription. */
  join(name: string, engine: string): Effect.Effect<void, PostgresError> {
    return Effect.asVoid(this.ask("join_subscription", [name, engine]))
  }

  leave(name: string, engine: string): Effect.Effect<void, PostgresError> {
    return Effect.asVoid(this.ask("leave_subscription", [name, engine]))
  }

  /**
   * Changes a subscription in a transaction that takes it from its owners first: they write nothing after that, and claim it
   * again. Fails with UnknownSubscription, and with LockTimeout where a handler's transaction lasts.
   */
  change<A, E>(
    name: string,
    work: (ask: Ask) => Effect.Effect<A, E>
  ): Effect.Effect<A, E | PostgresError | ConsumerError> {
    return this.postgres.transaction((connection) => this.changeIn(connection, name, work))
  }

  /** The same in a transaction that is there already. */
  changeIn<A, E>(
    connection: Queryable,
    name: string,
    work: (ask: Ask) => Effect.Effect<A, E>
  ): Effect.Effect<A, E | PostgresError | ConsumerError> {
    const ask: Ask = <Row>(query: string, values: ReadonlyArray<unknown>) =>
      Effect.map(this.ask<Row>(query, values, connection), ({ rows }) => rows)
    return Effect.gen({ self: this }, function* () {
      yield* connection.query(`set local lock_timeout = ${LOCK_MS}`)
      const { count } = yield* this.ask("lock_subscription", [name], connection)
      if (count === 0) return yield* consumerError(new UnknownSubscription({ subscription: name }))
      yield* this.ask("take_partitions", [name], connection)
      return yield* work(ask)
    })
  }

  ask<Row>(query: string, values: ReadonlyArray<unknown>, connection: Queryable = this.postgres) {
    const { text, name } = statement(query, this.postgres.schema)
    return connection.query<Row>(text, values, { name })
  }
}
