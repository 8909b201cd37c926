import { Context, Effect, Layer } from "effect"
import type { PoolClient, QueryConfig } from "pg"
import {
  ConnectionLost,
  PostgresError,
  postgresError,
  RolledBack,
  TransactionEnded,
  Unreachable
} from "./error.ts"
import { Pace } from "./pace.ts"
import { DEFAULT_POOL_SIZE, openPool, type PoolConfig, type PoolStanding } from "./pool.ts"
import { isLostStatement, PoolerWatch } from "./pooler.ts"

/** How long an engine's own transaction may sit idle before the server ends it, in ms: an idle one holds back every reader. */
export const IDLE_IN_TRANSACTION_MS = 30_000

/** How long ROLLBACK may go without an answer, in ms; ending the connection rolls back as well, and nobody should wait for it. */
const ROLLBACK_ANSWER_MS = 1_000

/** One round trip, and local to the transaction, so that it holds behind a pooler too. */
const begin = (idleMs: number): string =>
  `begin isolation level read committed; set local idle_in_transaction_session_timeout = ${idleMs}`

export interface TransactionOptions {
  /** How long it may sit idle before the server ends it, in ms. Default: IDLE_IN_TRANSACTION_MS. */
  readonly idleMs?: number
}

export interface Rows<Row> {
  readonly rows: ReadonlyArray<Row>
  readonly count: number
}

export interface QueryOptions {
  /** Prepares the statement once per connection under this name, where no pooler is in between. */
  readonly name?: string
  /** Rows as arrays instead of objects. */
  readonly arrays?: boolean
  /** How long to wait for the answer, in ms; then the connection is given up and the outcome is unknown. */
  readonly answerTimeoutMs?: number
}

/** One connection, for as long as it is lent. */
export interface Connection {
  query<Row = Record<string, unknown>>(
    text: string,
    values?: ReadonlyArray<unknown>,
    options?: QueryOptions
  ): Effect.Effect<Rows<Row>, PostgresError>
}

/** Whatever runs a statement: a connection that is lent, or any. */
export type Queryable = Pick<Connection, "query">

export interface PostgresConfig extends PoolConfig {
  /** The schema of the log. */
  readonly schema: string
  /** Whether statements are prepared by name. Default: found out, on every connection. */
  readonly preparedStatements?: boolean
}

/** The reasons after which a connection cannot be used again. */
const isBroken = (error: PostgresError): boolean => {
  switch (error.reason._tag) {
    case "ConnectionLost":
    case "Unreachable":
    case "Busy":
      return true
    default:
      return false
  }
}

type Asked = QueryConfig & { rowMode?: "array"; query_timeout?: number }

const withoutName = ({ name: _name, ...unnamed }: Asked): Asked => unnamed

/** A client of the pool as a Connection, until it is taken back; remembers whether it broke. */
class Lent implements Connection {
  broken = false
  inTransaction = false
  private takenBack = false
  private readonly client: PoolClient
  private readonly watch: PoolerWatch
  private readonly pace: Pace

  constructor(client: PoolClient, watch: PoolerWatch, pace: Pace) {
    this.client = client
    this.watch = watch
    this.pace = pace
  }

  /** From here on the borrower's queries fail: they would run in whatever the next borrower is at. */
  takeBack(): void {
    this.takenBack = true
  }

  query<Row = Record<string, unknown>>(
    text: string,
    values?: ReadonlyArray<unknown>,
    options?: QueryOptions
  ): Effect.Effect<Rows<Row>, PostgresError> {
    return Effect.callback((resume) => {
      if (this.takenBack) {
        resume(Effect.fail(new PostgresError({ reason: new TransactionEnded({ call: "query" }) })))
        return
      }
      const config: Asked = { text }
      if (values !== undefined) config.values = values as Array<unknown>
      if (options?.name !== undefined && this.watch.mayPrepare(this.client)) config.name = options.name
      if (options?.arrays === true) config.rowMode = "array"
      if (options?.answerTimeoutMs !== undefined) config.query_timeout = options.answerTimeoutMs
      let answered = false
      const askedAt = performance.now()
      const hasAnswered = (failed: boolean): void => {
        answered = true
        this.pace.note(performance.now() - askedAt, failed)
      }
      const ask = (asked: Asked): void =>
        this.client.query<Record<string, unknown>>(asked, (thrown: unknown, result) => {
          if (thrown == null) {
            hasAnswered(false)
            resume(Effect.succeed({ rows: result.rows as ReadonlyArray<Row>, count: result.rowCount ?? 0 }))
            return
          }
          if (asked.name !== undefined && isLostStatement(thrown)) {
            this.watch.forbid(this.client)
            if (!this.inTransaction) return ask(withoutName(asked))
          }
          hasAnswered(true)
          const error = postgresError(thrown, true)
          if (isBroken(error)) this.broken = true
          resume(Effect.fail(error))
        })
      ask(config)
      return Effect.sync(() => {
        if (!answered) this.broken = true
      })
    })
  }

  /** COMMIT answers ROLLBACK, without an error, where a statement had failed. */
  commit(): Effect.Effect<void, PostgresError> {
    return Effect.flatMap(this.end("commit"), (command) =>
      command === "ROLLBACK"
        ? Effect.fail(new PostgresError({ reason: new RolledBack({ detail: "COMMIT answered ROLLBACK" }) }))
        : Effect.void
    )
  }

  rollback(): Effect.Effect<void> {
    return this.broken ? Effect.void : Effect.ignore(this.end("rollback", ROLLBACK_ANSWER_MS))
  }

  /** Ends the transaction, and says what the server says that it did. */
  private end(how: "commit" | "rollback", answerTimeoutMs?: number): Effect.Effect<string, PostgresError> {
    return Effect.callback((resume) => {
      const config: Asked = { text: how }
      if (answerTimeoutMs !== undefined) config.query_timeout = answerTimeoutMs
      let answered = false
      this.client.query(config, (thrown: unknown, result) => {
        answered = true
        if (thrown == null) {
          resume(Effect.succeed(result.command))
          return
        }
        const error = postgresError(thrown, true)
        if (isBroken(error)) this.broken = true
        resume(Effect.fail(error))
      })
      // What stands behind a COMMIT without an answer would wait for it.
      return Effect.sync(() => {
        if (!answered) this.broken = true
      })
    })
  }
}

/** PostgreSQL, as a pool of connections to one log's database. */
export class Postgres extends Context.Service<
  Postgres,
  {
    /** The schema of the log. */
    readonly schema: string
    /** How many connections it opens at most. */
    readonly poolSize: number
    /** How its connections stand, and how the server answers on them. */
    readonly pool: () => PoolStanding
    /** Counts the connections that were opened and those that ended: where it grew, another server may answer than before. */
    readonly changes: () => number
    /** A pooler is in between: it may lead to another server than before without any connection ending here. */
    readonly isPooled: () => boolean
    /** Runs one statement on any connection. */
    readonly query: Connection["query"]
    /** Lends a connection for the time of `use`; fails with Unreachable where none comes within `waitMs`. */
    readonly withConnection: <A, E, R>(
      use: (connection: Connection) => Effect.Effect<A, E, R>,
      waitMs?: number
    ) => Effect.Effect<A, E | PostgresError, R>
    /** Runs `use` in a transaction: commits when it succeeds, rolls back when it fails or is interrupted. */
    readonly transaction: <A, E, R>(
      use: (connection: Connection) => Effect.Effect<A, E, R>,
      options?: TransactionOptions
    ) => Effect.Effect<A, E | PostgresError, R>
  }
>()("tidemark/postgres/Postgres") {
  static readonly layer = (config: PostgresConfig): Layer.Layer<Postgres> =>
    Layer.effect(Postgres, makePostgres(config))
}

const orUnreachable = <A>(connecting: Effect.Effect<A, PostgresError>, waitMs: number) =>
  Effect.timeoutOrElse(connecting, {
    duration: Math.max(0, waitMs),
    orElse: () =>
      Effect.fail(
        new PostgresError({ reason: new Unreachable({ detail: `no connection within ${waitMs} ms` }) })
      )
  })

const makePostgres = Effect.fnUntraced(function* (config: PostgresConfig) {
  const pool = yield* openPool(config)
  const watch = new PoolerWatch(config.preparedStatements)
  const pace = new Pace()
  let changes = 0
  const changed = (): void => {
    changes += 1
  }
  pool.on("connect", changed)
  pool.on("remove", changed)
  const poolPatienceMs = config.connection.connectionTimeoutMillis || Number.POSITIVE_INFINITY

  /** Whoever waits for a connection may be interrupted meanwhile, and does not hold up who interrupts: it may never come. */
  const withLent = <A, E, R>(
    use: (lent: Lent) => Effect.Effect<A, E, R>,
    waitMs = Number.POSITIVE_INFINITY
  ): Effect.Effect<A, E | PostgresError, R> =>
    Effect.suspend(() => {
      let over = false
      let giveBack = (): void => undefined
      const lent = Effect.callback<Lent, PostgresError>((resume) => {
        pool.connect((thrown, client, release) => {
          if (thrown !== undefined || client === undefined) {
            resume(Effect.fail(postgresError(thrown, false)))
          } else if (over) {
            release()
          } else {
            const taken = new Lent(client, watch, pace)
            giveBack = () => {
              taken.takeBack()
              // Asked after its first use, it costs nobody a round trip.
              if (!taken.broken) watch.ask(client)
              release(taken.broken)
            }
            resume(Effect.succeed(taken))
          }
        })
      })
      const end = Effect.sync(() => {
        over = true
        giveBack()
      })
      const soon = waitMs < poolPatienceMs ? orUnreachable(lent, waitMs) : lent
      return Effect.ensuring(Effect.flatMap(soon, use), end)
    })

  const transaction = <A, E, R>(
    use: (connection: Connection) => Effect.Effect<A, E, R>,
    { idleMs = IDLE_IN_TRANSACTION_MS }: TransactionOptions = {}
  ): Effect.Effect<A, E | PostgresError, R> =>
    withLent((lent) => {
      const body: Effect.Effect<A, E | PostgresError, R> = Effect.gen(function* () {
        yield* lent.query(begin(idleMs))
        lent.inTransaction = true
        const value = yield* Effect.ensuring(
          use(lent),
          Effect.sync(() => lent.takeBack())
        )
        yield* lent.commit()
        return value
      })
      return Effect.onError(body, () => lent.rollback())
    })

  return Postgres.of({
    schema: config.schema,
    poolSize: config.poolSize ?? DEFAULT_POOL_SIZE,
    pool: () => ({
      size: pool.options.max,
      open: pool.totalCount,
      idle: pool.idleCount,
      waiting: pool.waitingCount,
      answers: pace.answers()
    }),
    changes: () => changes,
    isPooled: () => watch.isBetween,
    query: (text, values, options) => withLent((lent) => lent.query(text, values, options)),
    withConnection: withLent,
    transaction
  })
})

/** The connection was lost, or no answer came in time. */
export const isConnectionLost = (error: PostgresError): boolean => error.reason instanceof ConnectionLost
