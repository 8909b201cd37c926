import { projection } from "../../src/projection/definition.ts"
import { AgentRegistered, AgentStateChanged, AgentStopped } from "./events.ts"
import { agentEntities } from "./fold.ts"
import { get, list, register, stop, stopped, updateState } from "./operations.ts"

/** The agents of a fleet: who they are, and in which state. */
export const agents = projection({
  name: "agents",
  version: 1,
  events: [AgentRegistered, AgentStateChanged, AgentStopped],
  tables: "#projections/agents/tables.sql",
  relations: ["agents"],
  model: agentEntities,
  operations: { register, updateState, stop, stopped, get, list }
})
