import { projection } from "../../src/projection/definition.ts"
import { register, retire, stop, update, updateState } from "./commands.ts"
import { AGENT_EVENTS } from "./events.ts"
import { agentEntities } from "./fold.ts"
import { active, get, list, status, stopped } from "./queries.ts"

/** The agents of a fleet: who they are, and in which state. */
export const agents = projection({
  name: "agents",
  version: 1,
  events: AGENT_EVENTS,
  tables: "#projections/agents/tables.sql",
  relations: ["agents"],
  model: agentEntities,
  views: "#projections/agents/views.sql",
  operations: { register, update, updateState, stop, retire, get, status, list, active, stopped }
})
