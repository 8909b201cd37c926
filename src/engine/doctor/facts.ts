import { Effect } from "effect"
import { totalmem } from "node:os"
import type { OpenTransaction } from "../maintenance/event.ts"
import { DEFAULT_LONG_TRANSACTION_MS } from "../maintenance/maintaining.ts"
import { Postgres } from "../../postgres/postgres.ts"
import { statement } from "../../postgres/sql-file.ts"
import { type EngineStatus, engineStatus } from "../status.ts"

/** A setting of the server, as `pg_settings` tells it. */
export interface Setting {
  /** In its unit. */
  readonly value: string
  /** `8kB`, `ms` …; null where it has none. */
  readonly unit: string | null
  /** When a change counts: `postmaster` after a restart, everything else after a reload at most. */
  readonly context: string
  /** Who set it: `configuration file`, `user`, `database`, `client`, `command line`, `default` … */
  readonly source: string
  /** It was changed, and counts after a restart. */
  readonly isPending: boolean
}

export interface BigTable {
  readonly table: string
  readonly rows: number
  /** Its own settings, as `name=value`. */
  readonly options: ReadonlyArray<string>
}

export interface Slot {
  readonly name: string
  readonly isActive: boolean
  /** VACUUM leaves what died since for it. */
  readonly holdsRows: boolean
  readonly walStatus: string | null
  /** Of the write-ahead log. */
  readonly retainedBytes: number | null
}

/** What the server says of itself. */
export interface ServerFacts {
  readonly serverVersion: string
  readonly versionNumber: number
  readonly encoding: string
  readonly database: string
  readonly user: string
  readonly isStandby: boolean
  readonly transactionIdAge: number
  /** From 0 to 1. */
  readonly notifyQueueUsage: number
  /** What it talks to runs on its machine: this process, or a pooler. */
  readonly isLocal: boolean
  /** Those that this role may see, by name. */
  readonly settings: Readonly<Record<string, Setting>>
  readonly connections: number
  /** Engines of this log that are alive. */
  readonly engines: number
  readonly partitions: number
  readonly partitionIndexes: number
  readonly bigTables: ReadonlyArray<BigTable>
  readonly slots: ReadonlyArray<Slot>
  /** The extension pg_stat_statements is installed with it. */
  readonly hasStatements: boolean
}

/** All that advice is judged by. */
export interface Facts {
  readonly server: ServerFacts
  readonly status: EngineStatus
  /** Open for long, the oldest first. */
  readonly transactions: ReadonlyArray<OpenTransaction>
  readonly schema: string
  /** How many connections this engine opens at most, beside one that listens and one that notifies. */
  readonly poolSize: number
  /** Of the server's machine, in bytes; undefined where it is not known. */
  readonly memoryBytes: number | undefined
}

/** From so many rows on a table has settings of its own for autovacuum. */
export const BIG_TABLE_ROWS = 1_000_000

/** What a process of this machine may use: all of it, or what its container leaves it. */
const memoryHere = (): number => {
  const constrained = process.constrainedMemory()
  return constrained > 0 ? Math.min(constrained, totalmem()) : totalmem()
}

/** Asks the server and the log. `memoryBytes` is taken at its word; of a server on this machine it is known otherwise. */
export const factsOf = Effect.fnUntraced(function* (memoryBytes: number | undefined) {
  const postgres = yield* Postgres
  const { schema, poolSize } = postgres
  const { rows } = yield* postgres.query<ServerFacts>(statement("server_facts", schema).text, [
    schema,
    BIG_TABLE_ROWS
  ])
  const server = rows[0]!
  const open = yield* postgres.query<OpenTransaction>(statement("long_transactions", schema).text, [
    DEFAULT_LONG_TRANSACTION_MS,
    []
  ])
  const facts: Facts = {
    server,
    status: yield* engineStatus,
    transactions: open.rows,
    schema,
    poolSize,
    memoryBytes: memoryBytes ?? (server.isLocal && !postgres.isPooled() ? memoryHere() : undefined)
  }
  return facts
})
