import type { Facts, Setting } from "../../src/engine/doctor/facts.ts"
import type { EngineStatus } from "../../src/index.ts"

export const GIGABYTE = 1024 ** 3

const setting = (value: string, unit: string | null = null, context = "sighup"): Setting => ({
  value,
  unit,
  context,
  source: "configuration file",
  isPending: false
})

const METHODS = [
  "enable_bitmapscan",
  "enable_hashagg",
  "enable_hashjoin",
  "enable_indexonlyscan",
  "enable_indexscan",
  "enable_mergejoin",
  "enable_nestloop",
  "enable_seqscan",
  "enable_sort"
]

const settings: Readonly<Record<string, Setting>> = {
  fsync: setting("on"),
  full_page_writes: setting("on"),
  synchronous_commit: setting("on", null, "user"),
  wal_level: setting("replica", null, "postmaster"),
  data_checksums: setting("on", null, "internal"),
  zero_damaged_pages: setting("off", null, "superuser"),
  ignore_checksum_failure: setting("off", null, "superuser"),
  standard_conforming_strings: setting("on", null, "user"),
  max_connections: setting("100", null, "postmaster"),
  superuser_reserved_connections: setting("3", null, "postmaster"),
  idle_in_transaction_session_timeout: setting("60000", "ms", "user"),
  statement_timeout: setting("0", "ms", "user"),
  transaction_timeout: setting("0", "ms", "user"),
  idle_session_timeout: setting("0", "ms", "user"),
  tcp_keepalives_idle: setting("60", "s", "user"),
  max_locks_per_transaction: setting("64", null, "postmaster"),
  max_prepared_transactions: setting("0", null, "postmaster"),
  default_transaction_read_only: setting("off", null, "user"),
  shared_buffers: setting(String((4 * GIGABYTE) / 8_192), "8kB", "postmaster"),
  effective_cache_size: setting(String((12 * GIGABYTE) / 8_192), "8kB", "user"),
  work_mem: setting("16384", "kB", "user"),
  maintenance_work_mem: setting("65536", "kB", "user"),
  wal_buffers: setting("2048", "8kB", "postmaster"),
  checkpoint_timeout: setting("900", "s"),
  max_wal_size: setting("4096", "MB"),
  checkpoint_completion_target: setting("0.9"),
  autovacuum: setting("on"),
  track_counts: setting("on", null, "superuser"),
  autovacuum_naptime: setting("60", "s"),
  autovacuum_vacuum_scale_factor: setting("0.2"),
  autovacuum_vacuum_insert_scale_factor: setting("0.2"),
  autovacuum_analyze_scale_factor: setting("0.1"),
  jit: setting("off", null, "user"),
  ...Object.fromEntries(METHODS.map((name) => [name, setting("on", null, "user")])),
  random_page_cost: setting("1.1", null, "user"),
  effective_io_concurrency: setting("200", null, "user"),
  shared_preload_libraries: setting("pg_stat_statements", null, "postmaster"),
  track_activity_query_size: setting("2048", "B", "postmaster"),
  log_min_duration_statement: setting("1000", "ms", "superuser"),
  log_parameter_max_length: setting("0", "B", "superuser")
}

const status = {
  pooled: false,
  unsettledForMs: 0,
  feed: { position: 1, heldForMs: 0, heldBy: [], error: undefined },
  wake: { mode: "listening", reason: "NOTIFY arrives" },
  telemetry: { partitions: [], ahead: 1, warning: undefined },
  projections: [],
  durable: [],
  sync: { waiting: 0, retrying: 0, held: 0, parked: 0, oldestMs: 0, broken: [] }
} as unknown as EngineStatus

/** A server and a log of which nothing is to be said. */
export const healthy: Facts = {
  server: {
    serverVersion: "18.4",
    versionNumber: 180_004,
    encoding: "UTF8",
    database: "fleet",
    user: "ada",
    isStandby: false,
    transactionIdAge: 1_000_000,
    notifyQueueUsage: 0,
    isLocal: false,
    settings,
    connections: 20,
    engines: 3,
    partitions: 4,
    partitionIndexes: 12,
    bigTables: [],
    slots: [],
    hasStatements: true
  },
  status,
  transactions: [],
  schema: "tidemark",
  poolSize: 10,
  memoryBytes: 16 * GIGABYTE
}

/** The same with other settings. */
export const withSettings = (values: Readonly<Record<string, string>>, base = healthy): Facts => ({
  ...base,
  server: {
    ...base.server,
    settings: {
      ...base.server.settings,
      ...Object.fromEntries(
        Object.entries(values).map(([name, value]) => [name, { ...base.server.settings[name]!, value }])
      )
    }
  }
})

export const withServer = (given: Partial<Facts["server"]>, base = healthy): Facts => ({
  ...base,
  server: { ...base.server, ...given }
})

export const withStatus = (given: object): Facts => ({
  ...healthy,
  status: { ...healthy.status, ...given }
})
