import { Schema } from "effect"
import { HealthState } from "../vitals/interval.ts"
import { MAX_NAME_LENGTH, shortText } from "../short-text.ts"
import { RETIRED } from "./events.ts"

const MAX_STATE_LENGTH = 50
const MAX_TYPE_LENGTH = 100

/** How many capabilities an agent has at most. */
const MAX_CAPABILITIES = 100

/** A state to look for. */
export const State = shortText(MAX_STATE_LENGTH)

/** A state that an agent may say it is in. */
export const GivenState = State.check(
  Schema.makeFilter((state: string) => state !== RETIRED || "retire an agent with agents.retire")
)

export const Name = shortText(MAX_NAME_LENGTH)
export const Type = shortText(MAX_TYPE_LENGTH)
export const Capability = shortText(MAX_TYPE_LENGTH)
export const Capabilities = Schema.Array(Capability).check(Schema.isMaxLength(MAX_CAPABILITIES))
export const Facts = Schema.Record(Schema.String, Schema.Json)

/** An agent as it is now. */
export const Agent = Schema.Struct({
  agent: Schema.String,
  name: Schema.NullOr(Schema.String),
  type: Schema.NullOr(Schema.String),
  /** What it says of itself; `stopped` or `retired` where it is that. */
  state: Schema.String,
  capabilities: Schema.Array(Schema.String),
  /** How often it promises to beat; null where it does not say. */
  heartbeatIntervalMs: Schema.NullOr(Schema.Int),
  startedAt: Schema.NullOr(Schema.Date),
  /** Of a retired one, too. */
  stoppedAt: Schema.NullOr(Schema.Date),
  retiredAt: Schema.NullOr(Schema.Date),
  config: Schema.Json,
  metadata: Schema.Json,
  createdAt: Schema.Date,
  updatedAt: Schema.Date,
  occurredAt: Schema.NullOr(Schema.Date),
  recordedAt: Schema.Date
})
export type Agent = typeof Agent.Type

/** An agent as it is now, and how it is. */
export const AgentStatus = Schema.Struct({
  ...Agent.fields,
  health: HealthState,
  healthSince: Schema.NullOr(Schema.Date),
  /** How often it is expected to beat: what it declares, or 60 000 ms. */
  intervalMs: Schema.Int,
  lastBeatAt: Schema.NullOr(Schema.Date),
  /** How many beats it has missed by now, one after the other. */
  missed: Schema.Int
})
export type AgentStatus = typeof AgentStatus.Type
