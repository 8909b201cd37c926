import type { ArchiveFile } from "./event.ts"

/** What retention does: `retire` says in the log what is over, so that read models drop it; the others are of a partition. */
export type RetentionStepKind = "retire" | "roll up" | "archive" | "drop"

/** Something that was to be done, and what became of it. */
export interface RetentionStep {
  readonly kind: RetentionStepKind
  /** A category of telemetry, or a partition. */
  readonly subject: string
  readonly why: string
  /** `would`: on a dry run. */
  readonly outcome: "done" | "would" | "failed"
  /** Why it failed; null where it did not. */
  readonly problem: string | null
  /** Of how many events it is; null where they were not counted. */
  readonly events: number | null
  readonly tookMs: number
}

/** How a category of telemetry stands. */
export interface CategoryStanding {
  readonly category: string
  /** For how long it is kept; null: for ever. */
  readonly keptDays: number | null
  /** Everything up to and with this position is over; on a dry run, would be. */
  readonly retiredUpTo: number
}

/** How a partition stands that was there at the beginning. */
export interface PartitionStanding {
  readonly partition: string
  readonly from: number
  readonly upTo: number
  /** On disk, with its indexes. */
  readonly bytes: number
  readonly outcome: "dropped" | "would be dropped" | "stays"
  /** Why it stays; null where it does not. */
  readonly why: string | null
  /** Where it was archived; null where that was not asked for, or it stays. */
  readonly archive: ArchiveFile | null
}

/** What retention found, and did. */
export interface RetentionReport {
  readonly isDryRun: boolean
  readonly tookMs: number
  readonly categories: ReadonlyArray<CategoryStanding>
  /** Oldest first. */
  readonly partitions: ReadonlyArray<PartitionStanding>
  readonly steps: ReadonlyArray<RetentionStep>
}
