import type { Event } from "../../src/log/event.ts"
import { idOf } from "../../src/log/name.ts"
import { entities } from "../../src/projection/definition.ts"
import { occurredAt } from "../moment.ts"
import { AgentRegistered, AgentStateChanged, AgentStopped } from "./events.ts"

/** The state of an agent that was stopped. */
export const STOPPED = "stopped"

/** A row of `agents`. */
export type AgentRow = {
  readonly agent_id: string
  readonly state: string
  readonly started_at: Date | null
  readonly stopped_at: Date | null
  readonly config: unknown
  readonly metadata: unknown
  readonly created_at: Date
  readonly updated_at: Date
  readonly occurred_at: Date | null
  readonly recorded_at: Date
}

const unknownAgent = (event: Event): AgentRow => ({
  agent_id: idOf(event.stream),
  state: "unknown",
  started_at: null,
  stopped_at: null,
  config: null,
  metadata: null,
  created_at: event.recordedAt,
  updated_at: event.recordedAt,
  occurred_at: null,
  recorded_at: event.recordedAt
})

/** An agent in a state: being in any but `stopped` means that it is not. */
const inState = (row: AgentRow, state: string, at: Date): AgentRow => ({
  ...row,
  state,
  stopped_at: state === STOPPED ? (row.stopped_at ?? at) : null
})

/** The agent after an event; one that was never registered is known from its first event on. */
export const foldAgent = (row: AgentRow | undefined, event: Event): AgentRow => {
  const said = occurredAt(event.data)
  const at = said ?? event.recordedAt
  const agent: AgentRow = {
    ...(row ?? unknownAgent(event)),
    updated_at: event.recordedAt,
    occurred_at: said ?? null,
    recorded_at: event.recordedAt
  }
  if (AgentRegistered.is(event)) {
    const { state, config = agent.config, metadata = agent.metadata } = event.data
    return { ...inState(agent, state, at), started_at: at, config, metadata }
  }
  if (AgentStateChanged.is(event)) {
    const { state, metadata = agent.metadata } = event.data
    return { ...inState(agent, state, at), metadata }
  }
  return AgentStopped.is(event) ? inState(agent, STOPPED, at) : agent
}

export const agentEntities = entities<AgentRow>({
  table: "agents",
  key: "agent_id",
  keyOf: (event) => idOf(event.stream),
  fold: foldAgent
})
