import { Schema } from "effect"
import { eventType } from "../../src/log/event-type.ts"
import { Moment } from "../moment.ts"

const Facts = Schema.Record(Schema.String, Schema.Json)

/** The category of agents' streams. */
export const AGENT = "agent"

export const agentStream = (agent: string): string => `${AGENT}-${agent}`

export const AgentRegistered = eventType(
  "AgentRegistered",
  Schema.Struct({
    state: Schema.String,
    config: Schema.optionalKey(Facts),
    metadata: Schema.optionalKey(Facts),
    occurredAt: Schema.optionalKey(Moment)
  })
)

export const AgentStateChanged = eventType(
  "AgentStateChanged",
  Schema.Struct({
    state: Schema.String,
    metadata: Schema.optionalKey(Facts),
    occurredAt: Schema.optionalKey(Moment)
  })
)

export const AgentStopped = eventType(
  "AgentStopped",
  Schema.Struct({
    reason: Schema.optionalKey(Schema.String),
    occurredAt: Schema.optionalKey(Moment)
  })
)
