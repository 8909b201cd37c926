import { Schema } from "effect"
import { eventType } from "../../src/log/event-type.ts"
import { Moment } from "../moment.ts"

const Facts = Schema.Record(Schema.String, Schema.Json)
const When = { occurredAt: Schema.optionalKey(Moment) }
const Why = { reason: Schema.optionalKey(Schema.String) }

/** The category of agents' streams. */
export const AGENT = "agent"

export const agentStream = (agent: string): string => `${AGENT}-${agent}`

/** The state of an agent that was stopped. */
export const STOPPED = "stopped"

/** The state of an agent that was retired. */
export const RETIRED = "retired"

export const AgentRegistered = eventType(
  "AgentRegistered",
  Schema.Struct({
    state: Schema.String,
    name: Schema.optionalKey(Schema.String),
    type: Schema.optionalKey(Schema.String),
    capabilities: Schema.optionalKey(Schema.Array(Schema.String)),
    config: Schema.optionalKey(Facts),
    metadata: Schema.optionalKey(Facts),
    heartbeatIntervalMs: Schema.optionalKey(Schema.Int),
    ...When
  })
)

export const AgentStateChanged = eventType(
  "AgentStateChanged",
  Schema.Struct({ state: Schema.String, metadata: Schema.optionalKey(Facts), ...When })
)

export const AgentRenamed = eventType("AgentRenamed", Schema.Struct({ name: Schema.String, ...When }))

export const AgentTypeChanged = eventType("AgentTypeChanged", Schema.Struct({ type: Schema.String, ...When }))

export const AgentCapabilitiesChanged = eventType(
  "AgentCapabilitiesChanged",
  Schema.Struct({ capabilities: Schema.Array(Schema.String), ...When })
)

export const AgentConfigChanged = eventType("AgentConfigChanged", Schema.Struct({ config: Facts, ...When }))

export const AgentMetadataChanged = eventType(
  "AgentMetadataChanged",
  Schema.Struct({ metadata: Facts, ...When })
)

/** The agent promises to beat that often from now on. */
export const AgentIntervalChanged = eventType(
  "AgentIntervalChanged",
  Schema.Struct({ heartbeatIntervalMs: Schema.Int, ...When })
)

export const AgentStopped = eventType("AgentStopped", Schema.Struct({ ...Why, ...When }))

/** It is over with the agent, until somebody registers it anew. */
export const AgentRetired = eventType("AgentRetired", Schema.Struct({ ...Why, ...When }))

export const AGENT_EVENTS = [
  AgentRegistered,
  AgentStateChanged,
  AgentRenamed,
  AgentTypeChanged,
  AgentCapabilitiesChanged,
  AgentConfigChanged,
  AgentMetadataChanged,
  AgentIntervalChanged,
  AgentStopped,
  AgentRetired
] as const
