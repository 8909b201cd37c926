import { projection } from "../../src/projection/definition.ts"
import { AGENT_EVENTS } from "../agents/events.ts"
import { HEARTBEAT, HeartbeatRecorded } from "../heartbeats/events.ts"
import { HEALTH_EVENTS } from "./events.ts"
import { healthModel } from "./model.ts"
import { overview } from "./operations.ts"

/** How the agents are: whether they beat as often as they should. */
export const vitals = projection({
  name: "vitals",
  version: 1,
  events: [...AGENT_EVENTS, HeartbeatRecorded, ...HEALTH_EVENTS],
  telemetry: [HEARTBEAT],
  tables: "#projections/vitals/tables.sql",
  relations: ["agent_health", "agent_health_counts"],
  model: healthModel,
  views: "#projections/vitals/views.sql",
  operations: { overview }
})
