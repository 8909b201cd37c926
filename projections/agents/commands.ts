import { Effect, Schema } from "effect"
import type { NewEvent } from "../../src/log/event.ts"
import type { EventType } from "../../src/log/event-type.ts"
import { command } from "../../src/projection/operation.ts"
import { AgentId } from "../agent-id.ts"
import { FleetDefaults } from "../defaults.ts"
import { IntervalMs } from "../vitals/interval.ts"
import { GivenMoment, happened } from "../moment.ts"
import { Recorded, recorded } from "../recorded.ts"
import { Capabilities, Facts, GivenState, Name, Type } from "./agent.ts"
import { unlessRetired } from "./deciding.ts"
import {
  AgentCapabilitiesChanged,
  AgentConfigChanged,
  AgentIntervalChanged,
  AgentMetadataChanged,
  AgentRegistered,
  AgentRenamed,
  AgentRetired,
  AgentStateChanged,
  AgentStopped,
  agentStream,
  AgentTypeChanged
} from "./events.ts"

const WRITE = "agents:write"

/** The state of an agent that does not say another one when it registers. */
const RUNNING = "running"

/** What an agent may say of itself. */
const Description = {
  name: Schema.optionalKey(Name),
  type: Schema.optionalKey(Type),
  capabilities: Schema.optionalKey(Capabilities),
  config: Schema.optionalKey(Facts),
  metadata: Schema.optionalKey(Facts),
  heartbeatIntervalMs: Schema.optionalKey(IntervalMs)
}

/** The type of the event by which each of them is another one. */
const CHANGES = {
  name: AgentRenamed,
  type: AgentTypeChanged,
  capabilities: AgentCapabilitiesChanged,
  config: AgentConfigChanged,
  metadata: AgentMetadataChanged,
  heartbeatIntervalMs: AgentIntervalChanged
} as const

const WhenAndWhy = {
  agent: AgentId,
  reason: Schema.optionalKey(Schema.String),
  occurredAt: Schema.optionalKey(GivenMoment)
}

export const register = command({
  name: "agents.register",
  description:
    "Registers an agent, or registers it again with what is given now: it counts as started then. A retired one begins anew, with what is given alone.",
  scope: WRITE,
  input: Schema.Struct({
    agent: AgentId,
    state: Schema.optionalKey(GivenState),
    ...Description,
    occurredAt: Schema.optionalKey(GivenMoment)
  }),
  output: Recorded,
  example: {
    agent: "billing-7",
    type: "billing",
    capabilities: ["invoices"],
    config: { model: "small" },
    metadata: { host: "worker-1" },
    heartbeatIntervalMs: 30_000
  },
  run: Effect.fnUntraced(function* ({ agent, occurredAt, state = RUNNING, ...facts }, { emit }) {
    const { heartbeatIntervalMs } = yield* FleetDefaults
    const promised = heartbeatIntervalMs === undefined ? {} : { heartbeatIntervalMs }
    const event = AgentRegistered.make({ state, ...promised, ...facts }, happened(occurredAt))
    return recorded(yield* emit(agentStream(agent), event))
  })
})

export const update = command({
  name: "agents.update",
  description:
    "Records what an agent says anew of itself; what is given takes the place of the former, each as an event, all or none. NotAllowed where it is retired.",
  scope: WRITE,
  input: Schema.Struct({
    agent: AgentId,
    ...Description,
    occurredAt: Schema.optionalKey(GivenMoment)
  }).check(
    Schema.makeFilter(
      (given) =>
        Object.keys(CHANGES).some((field) => field in given) ||
        `give at least one of ${Object.keys(CHANGES).join(", ")}`
    )
  ),
  output: Recorded,
  example: { agent: "billing-7", capabilities: ["invoices", "refunds"] },
  run: ({ agent, occurredAt, ...description }, context) => {
    const events: ReadonlyArray<NewEvent> = Object.entries(description).map(([field, value]) =>
      (CHANGES[field as keyof typeof CHANGES] as EventType).make({ [field]: value }, happened(occurredAt))
    )
    return Effect.map(unlessRetired("agents.update", agent, events, context), recorded)
  }
})

export const updateState = command({
  name: "agents.updateState",
  description:
    "Records that an agent is in another state now; metadata, where given, takes the place of the former. NotAllowed where it is retired.",
  scope: WRITE,
  input: Schema.Struct({
    agent: AgentId,
    state: GivenState,
    metadata: Schema.optionalKey(Facts),
    occurredAt: Schema.optionalKey(GivenMoment)
  }),
  output: Recorded,
  example: { agent: "billing-7", state: "busy" },
  run: ({ agent, occurredAt, ...change }, context) => {
    const event = AgentStateChanged.make(change, happened(occurredAt))
    return Effect.map(unlessRetired("agents.updateState", agent, [event], context), recorded)
  }
})

export const stop = command({
  name: "agents.stop",
  description:
    "Records that an agent stopped. It stays in the list, and starts again by registering again. NotAllowed where it is retired.",
  scope: WRITE,
  input: Schema.Struct(WhenAndWhy),
  output: Recorded,
  example: { agent: "billing-7", reason: "deployed anew" },
  run: ({ agent, occurredAt, ...why }, context) => {
    const event = AgentStopped.make(why, happened(occurredAt))
    return Effect.map(unlessRetired("agents.stop", agent, [event], context), recorded)
  }
})

export const retire = command({
  name: "agents.retire",
  description:
    "Takes an agent out of service for good: it takes no more commands, but may be registered anew. NotAllowed where it is retired.",
  scope: WRITE,
  input: Schema.Struct(WhenAndWhy),
  output: Recorded,
  example: { agent: "billing-7", reason: "billing-8 does its work" },
  run: ({ agent, occurredAt, ...why }, context) => {
    const event = AgentRetired.make(why, happened(occurredAt))
    return Effect.map(unlessRetired("agents.retire", agent, [event], context), recorded)
  }
})
