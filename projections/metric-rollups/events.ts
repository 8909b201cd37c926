import { Schema } from "effect"
import { eventType } from "../../src/log/event-type.ts"
import { Moment } from "../moment.ts"

/** The category of the streams in which the sums of a part of the log are told before its measurements go: `metric_rollup-12`. */
export const METRIC_ROLLUP = "metric_rollup"

/** Where they are told of the telemetry partition of that number. */
export const rollupStream = (part: number): string => `${METRIC_ROLLUP}-${part}`

/** What was measured of a metric in an hour. */
export const HourlySum = Schema.Struct({
  agent: Schema.String,
  name: Schema.String,
  /** When the hour began. */
  hour: Moment,
  count: Schema.Int,
  /** A decimal, exactly. */
  sum: Schema.String,
  min: Schema.Finite,
  max: Schema.Finite,
  /** The bins of its sketch (decision 027), in order, and how many measurements lie in each. */
  bins: Schema.Array(Schema.Int),
  counts: Schema.Array(Schema.Int)
})
export type HourlySum = typeof HourlySum.Type

/** Sums of a part of the log, in the order of agent, hour and metric; what comes next is the next event of the stream, until the last. */
export const MetricsRolledUp = eventType(
  "MetricsRolledUp",
  Schema.Struct({ hours: Schema.Array(HourlySum), isLast: Schema.Boolean })
)
