import type { Event } from "../../src/log/event.ts"
import { categoryOf, idOf } from "../../src/log/name.ts"
import {
  AGENT,
  AgentIntervalChanged,
  AgentRegistered,
  AgentRetired,
  AgentStateChanged,
  AgentStopped,
  STOPPED
} from "../agents/events.ts"
import { intervalIn, positionIn, textIn } from "../agents/fields.ts"
import { HEARTBEAT, HeartbeatRecorded } from "../heartbeats/events.ts"
import { occurredAt } from "../moment.ts"
import { AgentLost, AgentRanLate, AgentRecovered, HEALTH } from "./events.ts"
import { DEFAULT_INTERVAL_MS, type HealthState, LATE_AFTER_MISSED, LOST_AFTER_MISSED } from "./interval.ts"

/** A row of `agent_health`. */
export interface HealthRow {
  readonly agent_id: string
  readonly standing: "watched" | "stopped" | "retired"
  readonly health: HealthState
  readonly since: Date
  readonly interval_ms: number
  readonly is_promised: boolean
  readonly last_beat_at: Date | null
  readonly heard: number
  readonly heard_at: Date | null
  readonly judged: number
  readonly due_at: Date | null
  readonly recorded_at: Date
}

/** The agent whose health an event concerns; undefined where it concerns none. */
export const agentOf = ({ stream }: Event): string | undefined =>
  [AGENT, HEARTBEAT, HEALTH].includes(categoryOf(stream)) ? idOf(stream) : undefined

/** Whether it is a beat, and in the stream of an agent's beats. */
export const isBeat = (event: Event): boolean =>
  HeartbeatRecorded.is(event) && categoryOf(event.stream) === HEARTBEAT

const unheard = (event: Event): HealthRow => ({
  agent_id: idOf(event.stream),
  standing: "watched",
  health: "unknown",
  since: event.recordedAt,
  interval_ms: DEFAULT_INTERVAL_MS,
  is_promised: false,
  last_beat_at: null,
  heard: 0,
  heard_at: null,
  judged: 0,
  due_at: null,
  recorded_at: event.recordedAt
})

/** It gave a sign of life. Of when, the database's clock tells: the agents' own may be wrong. */
const heard = (row: HealthRow, event: Event): HealthRow => ({
  ...row,
  heard: event.position,
  heard_at: event.recordedAt
})

const inHealth = (row: HealthRow, health: HealthState, event: Event): HealthRow =>
  row.health === health ? row : { ...row, health, since: event.recordedAt }

const unwatched = (row: HealthRow, standing: "stopped" | "retired", event: Event): HealthRow =>
  row.standing === standing ? row : { ...row, standing, health: "unknown", since: event.recordedAt }

/** It is at work: where it was not, nothing is known of it from here on. */
const atWork = (row: HealthRow, event: Event): HealthRow =>
  row.standing === "watched"
    ? row
    : heard({ ...row, standing: "watched", health: "unknown", since: event.recordedAt }, event)

/** Who declares an interval promises to beat, and so is waited for from then on. */
const promised = (row: HealthRow, { data }: Event): HealthRow => {
  const interval = intervalIn(data)
  return interval === undefined ? row : { ...row, interval_ms: interval, is_promised: true }
}

const registered = (row: HealthRow, event: Event): HealthRow => {
  const before =
    row.standing === "retired" ? { ...row, interval_ms: DEFAULT_INTERVAL_MS, is_promised: false } : row
  const declared = promised(before, event)
  return textIn(event.data, "state") === STOPPED
    ? unwatched(declared, STOPPED, event)
    : heard(atWork(declared, event), event)
}

const afterAgentEvent = (row: HealthRow, event: Event): HealthRow => {
  if (AgentRegistered.is(event)) return registered(row, event)
  if (row.standing === "retired") return row
  if (AgentRetired.is(event)) return unwatched(row, "retired", event)
  if (AgentStopped.is(event)) return unwatched(row, STOPPED, event)
  if (AgentIntervalChanged.is(event)) {
    const declared = promised(row, event)
    return row.standing === "watched" ? heard(declared, event) : declared
  }
  if (!AgentStateChanged.is(event)) return row
  const state = textIn(event.data, "state")
  if (state === undefined) return row
  return state === STOPPED ? unwatched(row, STOPPED, event) : atWork(row, event)
}

/** One that is late or lost stays so until the watchdog says that it recovered: so that its event and this row say the same. */
const afterBeat = (row: HealthRow, event: Event): HealthRow => {
  const beaten = { ...row, last_beat_at: event.recordedAt }
  if (row.standing !== "watched") return beaten
  const alive = heard(beaten, event)
  return row.health === "unknown" ? inHealth(alive, "healthy", event) : alive
}

/** What a verdict tells of the last beat, where retention has dropped that and the log is folded anew. */
const remembered = (row: HealthRow, data: unknown): HealthRow => {
  const beatAt = occurredAt({ occurredAt: textIn(data, "lastBeatAt") })
  const position = positionIn(data, "heard")
  return row.heard_at !== null || beatAt === undefined || position === undefined
    ? row
    : { ...row, last_beat_at: beatAt, heard: position, heard_at: beatAt }
}

const afterVerdict = (before: HealthRow, event: Event): HealthRow => {
  const row = remembered(before, event.data)
  if (row.standing !== "watched" || row.heard_at === null) return before
  const judged = { ...row, judged: Math.min(positionIn(event.data, "heard") ?? row.heard, row.heard) }
  if (AgentRanLate.is(event)) return inHealth(judged, "late", event)
  if (AgentLost.is(event)) return inHealth(judged, "lost", event)
  return AgentRecovered.is(event) ? inHealth(judged, "healthy", event) : before
}

/** When the watchdog has to look at it next; null where it has not to. */
const dueAt = ({ standing, health, heard_at, ...row }: HealthRow): Date | null => {
  if (standing !== "watched" || heard_at === null) return null
  const missed = (beats: number): Date => new Date(heard_at.getTime() + beats * row.interval_ms)
  if (health === "unknown") return row.is_promised ? missed(LATE_AFTER_MISSED) : null
  if (health === "healthy") return missed(LATE_AFTER_MISSED)
  // It was heard of since then: it has recovered.
  if (row.heard > row.judged) return heard_at
  return health === "late" ? missed(LOST_AFTER_MISSED) : null
}

const AFTER: Readonly<Record<string, (row: HealthRow, event: Event) => HealthRow>> = {
  [AGENT]: afterAgentEvent,
  [HEARTBEAT]: afterBeat,
  [HEALTH]: afterVerdict
}

/** The health of an agent after an event of its streams. */
export const foldHealth = (row: HealthRow | undefined, event: Event): HealthRow => {
  const before = { ...(row ?? unheard(event)), recorded_at: event.recordedAt }
  const after = AFTER[categoryOf(event.stream)]!(before, event)
  return { ...after, due_at: dueAt(after) }
}
