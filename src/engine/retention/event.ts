import { Schema } from "effect"
import { eventType } from "../../log/event-type.ts"

/** Where it is told which telemetry was dropped. */
export const RETENTION_STREAM = "retention-log"

/** The file that an archive is. */
export const ArchiveFile = Schema.Struct({
  /** Its name, without the directory. */
  file: Schema.String,
  bytes: Schema.Int,
  events: Schema.Int,
  /** Of its lines, before they are compressed. */
  sha256: Schema.String
})
export type ArchiveFile = typeof ArchiveFile.Type

/** A telemetry partition was dropped. The event commits together with that. */
export const TelemetryDropped = eventType(
  "TelemetryDropped",
  Schema.Struct({
    partition: Schema.String,
    /** The first position that it took, and the first that it did not take any more. */
    from: Schema.Int,
    upTo: Schema.Int,
    /** What it took on disk, with its indexes. */
    bytes: Schema.Int,
    /** The categories of which it had events. */
    categories: Schema.Array(Schema.String),
    /** Null where none was asked for. */
    archive: Schema.NullOr(ArchiveFile)
  })
)
