import type { Diagnosis, DoctorOptions } from "./doctor/doctor.ts"
import type {
  HistoryOptions,
  Maintained,
  MaintainOptions,
  MaintenanceReport
} from "./maintenance/maintaining.ts"

import type { Event } from "../log/event.ts"
import type { RetentionReport } from "./retention/report.ts"
import type { RetainOptions } from "./retention/retaining.ts"

export type { RetentionReport, RetentionStep } from "./retention/report.ts"
export type { RetainOptions } from "./retention/retaining.ts"
export type { Finding } from "./doctor/advice.ts"
export type { Diagnosis } from "./doctor/doctor.ts"
export type { MaintenanceReport } from "./maintenance/maintaining.ts"

/** What was done to keep a log in shape. */
export interface Maintenance {
  /** The last times, the newest first, from the stream `maintenance-log`. Of each list, the first 50 (500 steps). Rejects with InvalidArgument. */
  history(options?: HistoryOptions): Promise<ReadonlyArray<Maintained>>
}

/** How an engine keeps its log, and the server below it, in shape. */
export interface Upkeep {
  /**
   * Makes stale statistics anew, builds bloated indexes again beside the old ones, and clears away what builds that failed have left, in this log's
   * schema and nowhere else; tells how large all is, what is dead, who is open for long, and how old transaction ids are. Bloat is an estimate from
   * statistics. Readers and writers go on meanwhile. A step that fails, or that this role may not do, is told, and the others are done. What was found
   * and done is an event, `MaintenanceDone`. Rejects with MaintenanceUnderWay (one process at a time), ReadOnly (a standby; a dry run works there),
   * LockTimeout (somebody has kept a table from everybody for 10 000 ms), or InvalidArgument; given up by `signal`, with its reason.
   */
  maintain(options?: MaintainOptions): Promise<MaintenanceReport>
  readonly maintenance: Maintenance
  /**
   * Drops telemetry that is over: heartbeats, measurements and system events below WARNING after 30 days, unless that is configured or said here; telemetry
   * of other categories where that is said. What is over leaves the read models first, and then the log, by whole partitions of 10 000 000 positions, from its oldest
   * end on, once all who read them have: read models, rebuilds under way, durable subscriptions. Before a partition goes, its measurements are
   * summed up by the hour in durable events, and it is written to `archiveDirectory`, where there is one. Durable events are never dropped. A step that
   * fails is told, and what it is about stays. Nothing is dropped unless this is called, or an engine is configured with `retentionSweepMs`. Rejects with
   * RetentionUnderWay (one process at a time), ReadOnly (a standby; a dry run works there), or InvalidArgument; given up by `signal`, with its reason.
   */
  retain(options?: RetainOptions): Promise<RetentionReport>
  /**
   * The events of an archive that retention has written, in order of position; of types that are declared, as they are now. Throws ArchiveDamaged, also at the
   * end, where what was given is not what was archived; and UpcastFailed.
   */
  archived(file: string): AsyncIterable<Event>
  /**
   * Compares the server's settings, and how this log stands, with what is advised; each finding has the statements that mend it. Nothing is changed.
   * Rejects with InvalidArgument (`memoryBytes`).
   */
  doctor(options?: DoctorOptions): Promise<Diagnosis>
}
