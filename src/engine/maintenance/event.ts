import { Schema } from "effect"
import { eventType } from "../../log/event-type.ts"

/** Where it is told what was done for the log. */
export const MAINTENANCE_STREAM = "maintenance-log"

const Bytes = Schema.Finite
const Milliseconds = Schema.Finite
const Unknown = <S extends Schema.Codec<number | string, number | string>>(schema: S) => Schema.NullOr(schema)

/** What maintenance does. */
export const STEP_KINDS = ["drop", "repair", "analyze", "reindex"] as const

/** What becomes of it. `would`: on a dry run; `left`: this role, or this connection, may not do it. */
export const OUTCOMES = ["done", "would", "left", "failed"] as const

export const StepKind = Schema.Literals(STEP_KINDS)
export type StepKind = typeof StepKind.Type

/** Something that was to be done, and what became of it. */
export const StepDone = Schema.Struct({
  /**
   * `drop`: an index that a concurrent build left behind; `repair`: an index that was not built to its end, built again; `analyze`: statistics of
   * a table; `reindex`: a bloated index, built anew beside the old one.
   */
  kind: StepKind,
  /** A table or an index of the log's schema. */
  relation: Schema.String,
  why: Schema.String,
  outcome: Schema.Literals(OUTCOMES),
  /** Why it was left or failed. */
  problem: Unknown(Schema.String),
  tookMs: Milliseconds,
  /** Of an index, before and after; null where it is none, or is not known. */
  bytesBefore: Unknown(Bytes),
  bytesAfter: Unknown(Bytes)
})
export type StepDone = typeof StepDone.Type

/** How a table stands. */
export const TableStanding = Schema.Struct({
  table: Schema.String,
  /** The partitioned table that it is a part of. */
  partitionOf: Unknown(Schema.String),
  isPartitioned: Schema.Boolean,
  /** On disk, without its indexes. */
  bytes: Bytes,
  indexBytes: Bytes,
  /** As ANALYZE or VACUUM last counted them; null where neither has. */
  rows: Unknown(Schema.Finite),
  /** As the server has counted since; of a partitioned table, 0. */
  liveRows: Schema.Finite,
  deadRows: Schema.Finite,
  /** Since the last ANALYZE. */
  changedRows: Schema.Finite,
  /** An estimate from the statistics; null where there are none. */
  bloatBytes: Unknown(Bytes),
  /** How long ago statistics were made; null: never, as far as the server remembers. */
  analyzedMs: Unknown(Milliseconds),
  /** How long ago it was vacuumed, by autovacuum or by hand. */
  vacuumedMs: Unknown(Milliseconds),
  /** How many transaction ids ago its rows were last frozen. */
  transactionIdAge: Unknown(Schema.Finite)
})
export type TableStanding = typeof TableStanding.Type

/** How an index stands. */
export const IndexStanding = Schema.Struct({
  index: Schema.String,
  table: Schema.String,
  bytes: Bytes,
  /** An estimate from the statistics; null where there are none, or it is no B-tree. */
  bloatBytes: Unknown(Bytes),
  /** False where a concurrent build did not come to its end: it is kept up, and used by no query. */
  isValid: Schema.Boolean,
  /** How often it was used since the server began to count. */
  scans: Schema.Finite
})
export type IndexStanding = typeof IndexStanding.Type

/** A transaction that keeps VACUUM from what died since it began; never what it says. */
export const OpenTransaction = Schema.Struct({
  /** Null for a prepared transaction. */
  pid: Unknown(Schema.Int),
  application: Unknown(Schema.String),
  user: Unknown(Schema.String),
  state: Unknown(Schema.String),
  ageMs: Milliseconds
})
export type OpenTransaction = typeof OpenTransaction.Type

/** Something that could not be seen or done at all. */
export const Left = Schema.Struct({ part: Schema.String, why: Schema.String })
export type Left = typeof Left.Type

/** All tables, or all indexes, together. */
export const MaintenanceTotals = Schema.Struct({
  tables: Schema.Int,
  indexes: Schema.Int,
  bytes: Bytes,
  indexBytes: Bytes,
  deadRows: Schema.Finite,
  /** Estimates. */
  bloatBytes: Bytes,
  indexBloatBytes: Bytes
})
export type MaintenanceTotals = typeof MaintenanceTotals.Type

const findings = {
  /** It was given up before all was done. */
  isInterrupted: Schema.Boolean,
  tookMs: Milliseconds,
  steps: Schema.Array(StepDone),
  totals: MaintenanceTotals,
  /** Largest first, with their indexes. */
  tables: Schema.Array(TableStanding),
  /** Largest first. */
  indexes: Schema.Array(IndexStanding),
  /** Those that have been open for long, the oldest first. */
  transactions: Schema.Array(OpenTransaction),
  /** How far transaction ids have come since they were last frozen, and where the server freezes by itself. */
  transactionIds: Schema.Struct({ age: Schema.Finite, freezeAge: Schema.Finite }),
  left: Schema.Array(Left)
}

/** What maintenance found, and did. */
export const Findings = Schema.Struct(findings)
export type Findings = typeof Findings.Type

/** Of each list, the event holds the first ones; `totals` are of all. */
export const MaintenanceDone = eventType("MaintenanceDone", Findings)
