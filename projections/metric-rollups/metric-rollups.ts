import { projection, rows } from "../../src/projection/definition.ts"
import { METRIC, MetricRecorded } from "../metrics/events.ts"
import { MetricsRolledUp } from "./events.ts"
import { summary } from "./operations.ts"

/** Measurements of agents, summed up by the minute and by the hour. */
export const metricRollups = projection({
  name: "metric_rollups",
  version: 2,
  events: [MetricRecorded, MetricsRolledUp],
  telemetry: [METRIC],
  tables: "#projections/metric-rollups/tables.sql",
  relations: ["metric_minutes", "metric_hours"],
  model: rows("#projections/metric-rollups/fold.sql", {
    of: METRIC,
    sql: "#projections/metric-rollups/retire.sql"
  }),
  operationsOf: "metrics",
  operations: { summary }
})
