import { projection } from "../../src/projection/definition.ts"
import { SESSION_EVENTS } from "./events.ts"
import { sessionEntities } from "./fold.ts"
import { create, end, expire, get, list, touch } from "./operations.ts"

/** The sessions of users and agents, which end by themselves when nothing is heard of them; not the session tier of agents' states. */
export const sessions = projection({
  name: "sessions",
  version: 1,
  events: SESSION_EVENTS,
  tables: "#projections/sessions/tables.sql",
  relations: ["session_records"],
  model: sessionEntities,
  views: "#projections/sessions/views.sql",
  operations: { create, touch, end, expire, get, list }
})
