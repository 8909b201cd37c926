import type { Event } from "../../src/log/event.ts"
import { idOf } from "../../src/log/name.ts"
import { entities } from "../../src/projection/definition.ts"
import { occurredAt } from "../moment.ts"
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
  AgentTypeChanged,
  RETIRED,
  STOPPED
} from "./events.ts"
import { factsIn, intervalIn, textIn, textsIn } from "./fields.ts"

/** The state of an agent of which no event has said one. */
const UNKNOWN = "unknown"

/** What an agent says of itself; a retired one that is registered anew says it anew. */
type Description = {
  readonly name: string | null
  readonly type: string | null
  readonly capabilities: ReadonlyArray<string>
  readonly config: unknown
  readonly metadata: unknown
  readonly heartbeat_interval_ms: number | null
}

/** A row of `agents`. */
export type AgentRow = Description & {
  readonly agent_id: string
  readonly state: string
  readonly started_at: Date | null
  readonly stopped_at: Date | null
  readonly retired_at: Date | null
  readonly version: number | string
  readonly created_at: Date
  readonly updated_at: Date
  readonly occurred_at: Date | null
  readonly recorded_at: Date
}

const UNDESCRIBED: Description = {
  name: null,
  type: null,
  capabilities: [],
  config: null,
  metadata: null,
  heartbeat_interval_ms: null
}

const unknownAgent = (event: Event): AgentRow => ({
  ...UNDESCRIBED,
  agent_id: idOf(event.stream),
  state: UNKNOWN,
  started_at: null,
  stopped_at: null,
  retired_at: null,
  version: event.version,
  created_at: event.recordedAt,
  updated_at: event.recordedAt,
  occurred_at: null,
  recorded_at: event.recordedAt
})

/** What it says of itself, after data that may say some of it anew. */
const described = (row: AgentRow, data: unknown): AgentRow => ({
  ...row,
  name: textIn(data, "name") ?? row.name,
  type: textIn(data, "type") ?? row.type,
  capabilities: textsIn(data, "capabilities") ?? row.capabilities,
  config: factsIn(data, "config") ?? row.config,
  metadata: factsIn(data, "metadata") ?? row.metadata,
  heartbeat_interval_ms: intervalIn(data) ?? row.heartbeat_interval_ms
})

/** An agent in a state: being in any but `stopped` means that it is not. */
const inState = (row: AgentRow, state: string, at: Date): AgentRow => ({
  ...row,
  state,
  stopped_at: state === STOPPED ? (row.stopped_at ?? at) : null
})

const DESCRIBING: ReadonlySet<string> = new Set(
  [
    AgentRenamed,
    AgentTypeChanged,
    AgentCapabilitiesChanged,
    AgentConfigChanged,
    AgentMetadataChanged,
    AgentIntervalChanged
  ].map(({ type }) => type)
)

const afterEvent = (agent: AgentRow, event: Event, at: Date): AgentRow => {
  const { data } = event
  if (AgentRegistered.is(event)) {
    const before = agent.retired_at === null ? agent : { ...agent, ...UNDESCRIBED, retired_at: null }
    return { ...inState(described(before, data), textIn(data, "state") ?? UNKNOWN, at), started_at: at }
  }
  // What somebody has put after it by other means than the commands, which refuse it.
  if (agent.retired_at !== null) return agent
  if (AgentStateChanged.is(event)) {
    const metadata = factsIn(data, "metadata") ?? agent.metadata
    return { ...inState(agent, textIn(data, "state") ?? agent.state, at), metadata }
  }
  if (DESCRIBING.has(event.type)) return described(agent, data)
  if (AgentStopped.is(event)) return inState(agent, STOPPED, at)
  return AgentRetired.is(event)
    ? { ...agent, state: RETIRED, stopped_at: agent.stopped_at ?? at, retired_at: at }
    : agent
}

/** The agent after an event; one that was never registered is known from its first event on. */
export const foldAgent = (row: AgentRow | undefined, event: Event): AgentRow => {
  const said = occurredAt(event.data)
  const agent: AgentRow = {
    ...(row ?? unknownAgent(event)),
    version: event.version,
    updated_at: event.recordedAt,
    occurred_at: said ?? null,
    recorded_at: event.recordedAt
  }
  return afterEvent(agent, event, said ?? event.recordedAt)
}

export const agentEntities = entities<AgentRow>({
  table: "agents",
  key: "agent_id",
  keyOf: (event) => idOf(event.stream),
  fold: foldAgent
})
