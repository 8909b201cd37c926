import { Effect, Schema } from "effect"
import { command, query } from "../../src/projection/operation.ts"
import { AgentId } from "../agent-id.ts"
import { GivenMoment, happened } from "../moment.ts"
import { Recorded, recorded } from "../recorded.ts"
import { AgentRegistered, AgentStateChanged, AgentStopped, agentStream } from "./events.ts"

const READ = "agents:read"
const WRITE = "agents:write"

/** The state of an agent that does not say another one when it registers. */
const RUNNING = "running"

const State = Schema.NonEmptyString.check(Schema.isMaxLength(50))
const Facts = Schema.Record(Schema.String, Schema.Json)

/** An agent as it is now. */
export const Agent = Schema.Struct({
  agent: Schema.String,
  state: Schema.String,
  startedAt: Schema.NullOr(Schema.Date),
  stoppedAt: Schema.NullOr(Schema.Date),
  config: Schema.Json,
  metadata: Schema.Json,
  createdAt: Schema.Date,
  updatedAt: Schema.Date,
  occurredAt: Schema.NullOr(Schema.Date),
  recordedAt: Schema.Date
})
export type Agent = typeof Agent.Type

export const register = command({
  name: "agents.register",
  description: "Registers an agent, or registers it again with what is given now: it counts as started then.",
  scope: WRITE,
  input: Schema.Struct({
    agent: AgentId,
    state: Schema.optionalKey(State),
    config: Schema.optionalKey(Facts),
    metadata: Schema.optionalKey(Facts),
    occurredAt: Schema.optionalKey(GivenMoment)
  }),
  output: Recorded,
  example: { agent: "billing-7", config: { model: "small" }, metadata: { host: "worker-1" } },
  run: ({ agent, occurredAt, state = RUNNING, ...facts }, { emit }) =>
    Effect.map(
      emit(agentStream(agent), AgentRegistered.make({ state, ...facts }, happened(occurredAt))),
      recorded
    )
})

export const updateState = command({
  name: "agents.updateState",
  description:
    "Records that an agent is in another state now; metadata, where given, takes the place of the former.",
  scope: WRITE,
  input: Schema.Struct({
    agent: AgentId,
    state: State,
    metadata: Schema.optionalKey(Facts),
    occurredAt: Schema.optionalKey(GivenMoment)
  }),
  output: Recorded,
  example: { agent: "billing-7", state: "busy" },
  run: ({ agent, occurredAt, ...change }, { emit }) =>
    Effect.map(emit(agentStream(agent), AgentStateChanged.make(change, happened(occurredAt))), recorded)
})

export const stop = command({
  name: "agents.stop",
  description: "Records that an agent stopped. It stays in the list, and starts again by registering again.",
  scope: WRITE,
  input: Schema.Struct({
    agent: AgentId,
    reason: Schema.optionalKey(Schema.String),
    occurredAt: Schema.optionalKey(GivenMoment)
  }),
  output: Recorded,
  example: { agent: "billing-7", reason: "deployed anew" },
  run: ({ agent, occurredAt, ...why }, { emit }) =>
    Effect.map(emit(agentStream(agent), AgentStopped.make(why, happened(occurredAt))), recorded)
})

export const get = query({
  name: "agents.get",
  description: "One agent as it is now; null where none of this id was registered.",
  scope: READ,
  input: Schema.Struct({ agent: AgentId }),
  output: Schema.NullOr(Agent),
  example: { agent: "billing-7" },
  run: ({ agent }, context) =>
    Effect.map(context.query<Agent>("#projections/agents/get.sql", [agent]), ([row]) => row ?? null)
})

export const stopped = query({
  name: "agents.stopped",
  description: "Those of some agents that are stopped.",
  scope: READ,
  input: Schema.Struct({ agents: Schema.Array(AgentId) }),
  output: Schema.Array(AgentId),
  example: { agents: ["billing-7"] },
  run: ({ agents }, context) =>
    Effect.map(
      context.query<{ readonly agent: string }>("#projections/agents/stopped.sql", [agents]),
      (rows) => rows.map(({ agent }) => agent)
    )
})

export const list = query({
  name: "agents.list",
  description: "All agents by id; on request those in one state, or those that are not stopped.",
  scope: READ,
  input: Schema.Struct({ state: Schema.optionalKey(State), active: Schema.optionalKey(Schema.Boolean) }),
  output: Schema.Array(Agent),
  example: { active: true },
  run: ({ state = null, active = false }, context) =>
    context.query<Agent>("#projections/agents/list.sql", [state, active], { planned: "anew" })
})
