import { projection, rows } from "../../src/projection/definition.ts"
import { HEARTBEAT, HeartbeatRecorded } from "./events.ts"
import { health, recent, record } from "./operations.ts"

/** Signs of life. */
export const heartbeats = projection({
  name: "heartbeats",
  version: 2,
  events: [HeartbeatRecorded],
  telemetry: [HEARTBEAT],
  tables: "#projections/heartbeats/tables.sql",
  relations: ["agent_heartbeats"],
  model: rows("#projections/heartbeats/fold.sql", {
    of: HEARTBEAT,
    sql: "#projections/heartbeats/retire.sql"
  }),
  views: "#projections/heartbeats/views.sql",
  operations: { record, recent, health }
})
