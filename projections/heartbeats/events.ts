import { Schema } from "effect"
import { eventType } from "../../src/log/event-type.ts"
import { Moment } from "../moment.ts"

/** The category of heartbeats' streams: telemetry. */
export const HEARTBEAT = "heartbeat"

export const heartbeatStream = (agent: string): string => `${HEARTBEAT}-${agent}`

export const HeartbeatRecorded = eventType(
  "HeartbeatRecorded",
  Schema.Struct({
    state: Schema.optionalKey(Schema.String),
    errorCount: Schema.optionalKey(Schema.Int),
    metrics: Schema.optionalKey(Schema.Record(Schema.String, Schema.Json)),
    occurredAt: Schema.optionalKey(Moment)
  })
)
