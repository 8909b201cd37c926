import { Schema } from "effect"

/** Another process maintains this log. Nothing was done. */
export class MaintenanceUnderWay extends Schema.TaggedError<MaintenanceUnderWay>()("MaintenanceUnderWay", {
  schema: Schema.String
}) {
  override get message(): string {
    return `Another process maintains the log in schema "${this.schema}". Nothing was done; wait until it has ended, and look at what it did.`
  }
}
