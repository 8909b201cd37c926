import { Effect } from "effect"
import type { PostgresError } from "../../postgres/error.ts"
import type { Queryable } from "../../postgres/postgres.ts"
import { statement } from "../../postgres/sql-file.ts"

/** What the server is at, at one moment. */
export interface ServerLoad {
  /** Of all clients, to all of the server's databases. */
  readonly connections: number
  /** How many it takes of clients that are no superusers. */
  readonly maxConnections: number
  /** How many statements are under way in the log's database, as far as this role may see them … */
  readonly active: number
  /** … and how many of these wait for a lock. */
  readonly waitingForLocks: number
  /** Since this engine last looked; undefined where that was less than a second ago, or never. */
  readonly transactionsPerSecond: number | undefined
}

interface LoadRow extends Omit<ServerLoad, "transactionsPerSecond"> {
  readonly transactions: string
  readonly atMs: number
}

interface Sample {
  readonly transactions: number
  readonly atMs: number
}

/** Sessions tell the server's statistics what they did once a second at most, so that a rate over less says nothing, in ms. */
const LEAST_SPAN_MS = 1_000

/** Looks at what the server is at; it remembers when it looked, for the rates. */
export class ServerLoads {
  private readonly schema: string
  private sample: Sample | undefined
  private rate: number | undefined

  constructor(schema: string) {
    this.schema = schema
  }

  look(connection: Queryable): Effect.Effect<ServerLoad, PostgresError> {
    const { text } = statement("server_load", this.schema)
    return Effect.map(connection.query<LoadRow>(text), ({ rows }) => {
      const { transactions, atMs, ...load } = rows[0]!
      return { ...load, transactionsPerSecond: this.rateAt({ transactions: Number(transactions), atMs }) }
    })
  }

  private rateAt(now: Sample): number | undefined {
    const before = this.sample
    if (before !== undefined && now.atMs - before.atMs < LEAST_SPAN_MS) return this.rate
    const done = before === undefined ? -1 : now.transactions - before.transactions
    // Fewer than before: the statistics were reset, or it is another server.
    this.rate = before === undefined || done < 0 ? undefined : (done * 1000) / (now.atMs - before.atMs)
    this.sample = now
    return this.rate
  }
}
