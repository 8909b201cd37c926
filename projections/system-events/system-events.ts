import { projection, rows } from "../../src/projection/definition.ts"
import { SYSTEM_LOG, SystemEventLogged } from "./events.ts"
import { counts, list, log } from "./operations.ts"

/** What was logged of the fleet as a whole and of its agents. */
export const systemEvents = projection({
  name: "system_events",
  version: 2,
  events: [SystemEventLogged],
  telemetry: [SYSTEM_LOG],
  tables: "#projections/system-events/tables.sql",
  relations: ["system_events"],
  model: rows("#projections/system-events/fold.sql", {
    of: SYSTEM_LOG,
    sql: "#projections/system-events/retire.sql"
  }),
  operations: { log, list, counts }
})
