import { Effect, Schema } from "effect"
import { type OperationContext, query } from "../../src/projection/operation.ts"
import { AgentId } from "../agent-id.ts"
import { DEFAULT_INTERVAL_MS } from "../vitals/interval.ts"
import { Agent, AgentStatus, Capability, State, Type } from "./agent.ts"

const READ = "agents:read"

const DEFAULT_LIMIT = 1_000
const MAX_LIMIT = 10_000

/** Before every id. */
const BEFORE_ALL = ""

/** By what agents may be chosen, and the page of them. */
const Choice = {
  type: Schema.optionalKey(Type),
  capability: Schema.optionalKey(Capability),
  limit: Schema.optionalKey(Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: MAX_LIMIT }))),
  /** The id of the last one of the page before. */
  after: Schema.optionalKey(AgentId)
}

interface Choice {
  readonly state?: string
  readonly type?: string
  readonly capability?: string
  readonly active?: boolean
  readonly limit?: number
  readonly after?: string
}

const chosen = (choice: Choice, context: OperationContext) => {
  const { state = null, type = null, capability = null, active = false } = choice
  const { limit = DEFAULT_LIMIT, after = BEFORE_ALL } = choice
  const values = [state, type, capability, active, after, limit]
  return context.query<Agent>("#projections/agents/list.sql", values, { planned: "anew" })
}

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

export const status = query({
  name: "agents.status",
  description:
    "One agent as it is now, with its health, its last beat and how many beats it has missed; null where none of this id was registered.",
  scope: READ,
  reads: ["vitals"],
  input: Schema.Struct({ agent: AgentId }),
  output: Schema.NullOr(AgentStatus),
  example: { agent: "billing-7" },
  run: ({ agent }, context) =>
    Effect.map(
      context.query<AgentStatus>("#projections/agents/status.sql", [agent, DEFAULT_INTERVAL_MS]),
      ([row]) => row ?? null
    )
})

export const stopped = query({
  name: "agents.stopped",
  description: "Those of some agents that are stopped or retired.",
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
  description:
    "Agents by id, retired ones too; on request those in one state, of one type, with one capability, or neither stopped nor retired; what comes after an id is the next page.",
  scope: READ,
  input: Schema.Struct({
    state: Schema.optionalKey(State),
    active: Schema.optionalKey(Schema.Boolean),
    ...Choice
  }),
  output: Schema.Array(Agent),
  example: { type: "billing", capability: "invoices", active: true },
  run: chosen
})

export const active = query({
  name: "agents.active",
  description:
    "The agents that are neither stopped nor retired, by id; on request those of one type or with one capability; what comes after an id is the next page.",
  scope: READ,
  input: Schema.Struct(Choice),
  output: Schema.Array(Agent),
  example: { capability: "invoices" },
  run: (choice, context) => chosen({ ...choice, active: true }, context)
})
