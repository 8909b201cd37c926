import type { Facts } from "../../src/engine/doctor/facts.ts"
import { GIGABYTE, healthy, withServer, withSettings, withStatus } from "./healthy.ts"

const transaction = { pid: 7, application: "import", user: "bob", state: "active", ageMs: 600_000 }
const holder = { pid: 9, application: "x", user: "bob", state: "idle in transaction" }
const projection = {
  name: "agents",
  state: "running",
  lag: { atMost: 5, isCount: true },
  lagMs: 60_000,
  owner: { application: "keeper", host: "here", pid: 1, engine: "e" },
  error: undefined
}
const durable = { name: "billing", held: { parked: 0 }, partitions: [{ state: "running" }] }
const slot = { name: "standby", isActive: true, holdsRows: false, walStatus: "reserved", retainedBytes: 1 }
const bigTable = { table: "events", rows: 5_000_000, options: [] }
const factors = ["vacuum_scale_factor", "vacuum_insert_scale_factor", "analyze_scale_factor"]
const ownOptions = factors.map((name) => `autovacuum_${name}=0.02`)
const polling = { mode: "polling", reason: "no NOTIFY comes back" }

/** Of each advice, what is just well enough, and what is just not, with what is to be found of it. */
export const cases: Readonly<
  Record<string, readonly [good: ReadonlyArray<Facts>, bad: ReadonlyArray<[Facts, string]>]>
> = {
  fsync: [[healthy], [[withSettings({ fsync: "off" }), "off"]]],
  full_page_writes: [[healthy], [[withSettings({ full_page_writes: "off" }), "off"]]],
  synchronous_commit: [
    ["local", "remote_write", "remote_apply"].map((value) => withSettings({ synchronous_commit: value })),
    [[withSettings({ synchronous_commit: "off" }), "off"]]
  ],
  wal_level: [
    [withSettings({ wal_level: "logical" })],
    [[withSettings({ wal_level: "minimal" }), "minimal"]]
  ],
  data_checksums: [[healthy], [[withSettings({ data_checksums: "off" }), "off"]]],
  zero_damaged_pages: [[healthy], [[withSettings({ zero_damaged_pages: "on" }), "on"]]],
  ignore_checksum_failure: [[healthy], [[withSettings({ ignore_checksum_failure: "on" }), "on"]]],
  server_encoding: [
    [healthy],
    [
      [withServer({ encoding: "SQL_ASCII" }), "SQL_ASCII"],
      [withServer({ encoding: "LATIN1" }), "LATIN1"]
    ]
  ],
  standard_conforming_strings: [[healthy], [[withSettings({ standard_conforming_strings: "off" }), "off"]]],
  server_version: [
    [withServer({ versionNumber: 170_002 }), withServer({ versionNumber: 170_000 })],
    [
      [withServer({ versionNumber: 170_001, serverVersion: "17.1" }), "17.1"],
      [withServer({ versionNumber: 150_009, serverVersion: "15.9" }), "15.9"]
    ]
  ],
  max_connections: [
    // 3 engines of 10 + 2, 3 reserved, 10 for others.
    [
      withSettings({ max_connections: "49" }),
      withServer({ engines: 0 }, withSettings({ max_connections: "25" }))
    ],
    [
      [withSettings({ max_connections: "48" }), "48, of which 3 engines with poolSize 10 may take 36"],
      [{ ...healthy, poolSize: 40 }, "100, of which 3 engines with poolSize 40 may take 126"]
    ]
  ],
  "connections in use": [[withServer({ connections: 87 })], [[withServer({ connections: 88 }), "88 of 97"]]],
  pooler: [
    [withStatus({ pooled: true }), withStatus({ wake: polling })],
    [[withStatus({ pooled: true, wake: polling }), "a pooler is in between: no NOTIFY comes back"]]
  ],
  idle_in_transaction_session_timeout: [
    [withSettings({ idle_in_transaction_session_timeout: "1" })],
    [[withSettings({ idle_in_transaction_session_timeout: "0" }), "0: never"]]
  ],
  statement_timeout: [
    [withSettings({ statement_timeout: "30000" })],
    [
      [withSettings({ statement_timeout: "29999" }), "29999ms"],
      [withSettings({ statement_timeout: "5000" }), "5s"]
    ]
  ],
  transaction_timeout: [
    [withSettings({ transaction_timeout: "60000" })],
    [[withSettings({ transaction_timeout: "59000" }), "59s"]]
  ],
  idle_session_timeout: [[healthy], [[withSettings({ idle_session_timeout: "600000" }), "10min"]]],
  tcp_keepalives_idle: [
    [
      withSettings({ tcp_keepalives_idle: "600" }),
      withServer({ isLocal: true }, withSettings({ tcp_keepalives_idle: "0" }))
    ],
    [
      [withSettings({ tcp_keepalives_idle: "0" }), "the system's default"],
      [withSettings({ tcp_keepalives_idle: "7200" }), "120min"]
    ]
  ],
  max_locks_per_transaction: [
    // 640 locks, 10 at once, of 100 connections.
    [withServer({ partitions: 160, partitionIndexes: 480 })],
    [
      [
        withServer({ partitions: 161, partitionIndexes: 480 }),
        "64, with 161 partitions and 480 indexes of theirs"
      ]
    ]
  ],
  "notification queue is filling": [
    [withServer({ notifyQueueUsage: 0.049 }), withServer({ notifyQueueUsage: 0.5 })],
    [[withServer({ notifyQueueUsage: 0.05 }), "5 %"]]
  ],
  "notification queue": [
    [withServer({ notifyQueueUsage: 0.49 })],
    [[withServer({ notifyQueueUsage: 0.5 }), "50 %"]]
  ],
  default_transaction_read_only: [
    [withServer({ isStandby: true }, withSettings({ default_transaction_read_only: "on" }))],
    [[withSettings({ default_transaction_read_only: "on" }), "on"]]
  ],
  shared_buffers: [
    [
      withSettings({ shared_buffers: String((1.6 * GIGABYTE) / 8_192) }),
      withSettings({ shared_buffers: String((8 * GIGABYTE) / 8_192) }),
      { ...withSettings({ shared_buffers: "16384" }), memoryBytes: undefined }
    ],
    [
      [withSettings({ shared_buffers: "16384" }), "128MB of 16GB, 1 %"],
      [withSettings({ shared_buffers: String((9 * GIGABYTE) / 8_192) }), "9GB of 16GB, 56 %"],
      [{ ...withSettings({ shared_buffers: "16383" }), memoryBytes: undefined }, "128MB"]
    ]
  ],
  effective_cache_size: [
    [
      withSettings({ effective_cache_size: String((8 * GIGABYTE) / 8_192) }),
      { ...withSettings({ effective_cache_size: "131072" }), memoryBytes: undefined }
    ],
    [
      [withSettings({ effective_cache_size: String((4 * GIGABYTE) / 8_192) }), "4GB of 16GB, 25 %"],
      [{ ...withSettings({ effective_cache_size: "65536" }), memoryBytes: undefined }, "512MB"]
    ]
  ],
  work_mem: [[withSettings({ work_mem: "4096" })], [[withSettings({ work_mem: "1024" }), "1MB"]]],
  "work_mem of all connections": [
    [
      withSettings({ work_mem: String(80 * 1024) }),
      { ...withSettings({ work_mem: String(90 * 1024) }), memoryBytes: undefined }
    ],
    [[withSettings({ work_mem: String(90 * 1024) }), "100 connections × 90MB of 16GB"]]
  ],
  maintenance_work_mem: [
    [withSettings({ maintenance_work_mem: "1048576" })],
    [[withSettings({ maintenance_work_mem: "16384" }), "16MB"]]
  ],
  wal_buffers: [[healthy], [[withSettings({ wal_buffers: "512" }), "4MB"]]],
  checkpoint_timeout: [
    [withSettings({ checkpoint_timeout: "600" })],
    [[withSettings({ checkpoint_timeout: "300" }), "5min"]]
  ],
  max_wal_size: [[withSettings({ max_wal_size: "2048" })], [[withSettings({ max_wal_size: "1024" }), "1GB"]]],
  checkpoint_completion_target: [
    [withSettings({ checkpoint_completion_target: "0.95" })],
    [[withSettings({ checkpoint_completion_target: "0.5" }), "0.5"]]
  ],
  autovacuum: [[healthy], [[withSettings({ autovacuum: "off" }), "off"]]],
  track_counts: [[healthy], [[withSettings({ track_counts: "off" }), "off"]]],
  autovacuum_naptime: [
    [withSettings({ autovacuum_naptime: "300" })],
    [[withSettings({ autovacuum_naptime: "3600" }), "60min"]]
  ],
  "autovacuum of big tables": [
    [withServer({ bigTables: [{ ...bigTable, options: ownOptions }] })],
    [
      [withServer({ bigTables: [bigTable] }), "events (5000000 rows)"],
      [withServer({ bigTables: [{ ...bigTable, options: ownOptions.slice(1) }] }), "events (5000000 rows)"]
    ]
  ],
  "transaction ids are old": [
    [withServer({ transactionIdAge: 499_999_999 }), withServer({ transactionIdAge: 1_500_000_000 })],
    [[withServer({ transactionIdAge: 500_000_000 }), "500 million"]]
  ],
  "transaction ids run out": [
    [withServer({ transactionIdAge: 1_499_999_999 })],
    [[withServer({ transactionIdAge: 1_500_000_000 }), "1500 million"]]
  ],
  jit: [[healthy], [[withSettings({ jit: "on" }), "on"]]],
  "planner methods": [
    [healthy],
    [
      [withSettings({ enable_seqscan: "off", enable_sort: "off" }), "enable_seqscan, enable_sort off"],
      [withSettings({ enable_indexscan: "off" }), "enable_indexscan off"]
    ]
  ],
  random_page_cost: [
    [withSettings({ random_page_cost: "2" })],
    [[withSettings({ random_page_cost: "4" }), "4"]]
  ],
  effective_io_concurrency: [
    [withSettings({ effective_io_concurrency: "16" })],
    [[withSettings({ effective_io_concurrency: "1" }), "1"]]
  ],
  pg_stat_statements: [
    [
      withSettings({ shared_preload_libraries: 'citus,"pg_stat_statements"' }),
      withServer({ hasStatements: false }, withSettings({ shared_preload_libraries: "" }))
    ],
    [
      [withSettings({ shared_preload_libraries: "" }), "none"],
      [withSettings({ shared_preload_libraries: "citus" }), "citus"]
    ]
  ],
  track_activity_query_size: [
    [withSettings({ track_activity_query_size: "4096" })],
    [[withSettings({ track_activity_query_size: "1024" }), "1024"]]
  ],
  log_min_duration_statement: [
    [withSettings({ log_min_duration_statement: "0" })],
    [[withSettings({ log_min_duration_statement: "-1" }), "-1: never"]]
  ],
  "tail of the log": [
    [
      withStatus({ unsettledForMs: 9_999, feed: { heldBy: [holder] } }),
      withStatus({ unsettledForMs: 20_000, feed: { heldBy: [] } })
    ],
    [
      [withStatus({ unsettledForMs: 10_000, feed: { heldBy: [holder] } }), "held for 10 s by pid 9"],
      [
        withStatus({ unsettledForMs: 90_000, feed: { heldBy: [{ ...holder, pid: null }] } }),
        "held for 2 min by a prepared transaction"
      ]
    ]
  ],
  "read models": [
    [withStatus({ projections: [projection] })],
    [
      [
        withStatus({
          projections: [projection, { ...projection, state: "stopped", error: { message: "bad" } }]
        }),
        "agents: bad"
      ]
    ]
  ],
  "folding of read models": [
    [
      withStatus({ projections: [projection] }),
      withStatus({ projections: [{ ...projection, lag: { atMost: 0 }, lagMs: undefined }] }),
      withStatus({ projections: [{ ...projection, state: "stopped", lagMs: 90_000 }] })
    ],
    [
      [
        withStatus({ projections: [{ ...projection, lagMs: 60_001 }] }),
        "agents: 5 behind, folded by keeper on here"
      ],
      [
        withStatus({ projections: [{ ...projection, lagMs: undefined, owner: undefined }] }),
        "agents: 5 behind, folded by nobody"
      ]
    ]
  ],
  subscriptions: [
    [withStatus({ durable: [durable] })],
    [[withStatus({ durable: [{ ...durable, partitions: [{ state: "stopped" }] }] }), "billing"]]
  ],
  "parked events": [
    [withStatus({ durable: [durable] })],
    [[withStatus({ durable: [{ ...durable, held: { parked: 2 } }] }), "2 of billing"]]
  ],
  synchronisations: [
    [withStatus({ sync: { parked: 0, waiting: 9, broken: [] } })],
    [[withStatus({ sync: { parked: 3, broken: [{}] } }), "3 parked, 1 targets left alone for a while"]]
  ],
  "telemetry partitions": [
    [healthy],
    [[withStatus({ telemetry: { partitions: [], ahead: 0, warning: "none" } }), "none ahead"]]
  ],
  "this engine's feed": [[healthy], [[withStatus({ feed: { heldBy: [], error: "away" } }), "away"]]],
  "long transactions": [
    [healthy],
    [
      [{ ...healthy, transactions: [transaction] }, "pid 7 (import, bob) for 10 min"],
      [
        { ...healthy, transactions: [{ ...transaction, pid: null }] },
        "a prepared transaction of bob, for 10 min"
      ]
    ]
  ],
  "replication slots": [
    [withServer({ slots: [slot, { ...slot, retainedBytes: 10 * GIGABYTE }] })],
    [
      [withServer({ slots: [slot, { ...slot, name: "gone", isActive: false }] }), "gone (keeps 0.0 GB)"],
      [withServer({ slots: [{ ...slot, retainedBytes: 11 * GIGABYTE }] }), "standby (keeps 11.0 GB)"],
      [withServer({ slots: [{ ...slot, walStatus: "lost", retainedBytes: null }] }), "standby"]
    ]
  ]
}
