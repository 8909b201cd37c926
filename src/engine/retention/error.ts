import { Schema } from "effect"
import { clause } from "../../base/clause.ts"

/** Another process applies retention to this log. Nothing was done. */
export class RetentionUnderWay extends Schema.TaggedError<RetentionUnderWay>()("RetentionUnderWay", {
  schema: Schema.String
}) {
  override get message(): string {
    return `Another process applies retention to the log in schema "${this.schema}". Nothing was done; wait until it has ended, and look at what it did.`
  }
}

/** A file is no whole archive of telemetry: of another format, cut off, or changed. */
export class ArchiveDamaged extends Schema.TaggedError<ArchiveDamaged>()("ArchiveDamaged", {
  file: Schema.String,
  detail: Schema.String
}) {
  override get message(): string {
    return `The archive ${this.file} cannot be trusted: ${clause(this.detail)}. Take another copy of it, together with its manifest.`
  }
}

/** An archive could not be written, or is in the way. What it was to hold is still in the log. */
export class ArchiveNotWritten extends Schema.TaggedError<ArchiveNotWritten>()("ArchiveNotWritten", {
  file: Schema.String,
  detail: Schema.String
}) {
  override get message(): string {
    return `The archive ${this.file} was not written: ${clause(this.detail)}. Its telemetry was kept; mend that, or name another directory, and run retention again.`
  }
}
