import { Schema } from "effect"
import { eventType } from "../../src/log/event-type.ts"
import { Moment } from "../moment.ts"

/** The category of metrics' streams: telemetry. */
export const METRIC = "metric"

export const metricStream = (agent: string): string => `${METRIC}-${agent}`

export const MetricRecorded = eventType(
  "MetricRecorded",
  Schema.Struct({
    name: Schema.String,
    value: Schema.Finite,
    unit: Schema.optionalKey(Schema.String),
    metadata: Schema.optionalKey(Schema.Record(Schema.String, Schema.Json)),
    occurredAt: Schema.optionalKey(Moment)
  })
)
