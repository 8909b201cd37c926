import { projection } from "../../src/projection/definition.ts"
import { ALERT_EVENTS } from "./events.ts"
import { alertEntities } from "./fold.ts"
import { acknowledge, list } from "./operations.ts"

/** Alerts as they were raised, acknowledged and cleared. */
export const alerts = projection({
  name: "alerts",
  version: 1,
  events: ALERT_EVENTS,
  tables: "#projections/alerts/tables.sql",
  relations: ["alerts"],
  model: alertEntities,
  operations: { list, acknowledge }
})
