import { projection, rows } from "../../src/projection/definition.ts"
import { METRIC, MetricRecorded } from "./events.ts"
import { list, record } from "./operations.ts"

/** Measurements of agents. */
export const metrics = projection({
  name: "metrics",
  version: 3,
  events: [MetricRecorded],
  telemetry: [METRIC],
  tables: "#projections/metrics/tables.sql",
  relations: ["performance_metrics"],
  model: rows("#projections/metrics/fold.sql", { of: METRIC, sql: "#projections/metrics/retire.sql" }),
  views: "#projections/metrics/views.sql",
  operations: { record, list }
})
