import type { Event } from "../../src/log/event.ts"
import { categoryOf, idOf } from "../../src/log/name.ts"
import { entities } from "../../src/projection/definition.ts"
import { occurredAt } from "../moment.ts"
import { said } from "../said.ts"
import { SESSION, SessionCreated, SessionEnded, SessionExpired, SessionTouched } from "./events.ts"
import type { SessionStatus } from "./life-cycle.ts"

/** A row of `session_records`. A bigint is text where it comes from the database. */
export type SessionRow = {
  readonly session_id: string
  readonly id: number | string
  readonly version: number | string
  readonly user_id: string | null
  readonly agent_id: string | null
  readonly data: unknown
  readonly status: SessionStatus
  readonly ttl_ms: number | string
  readonly created_at: Date
  readonly touched_at: Date
  readonly expires_at: Date
  readonly ended_at: Date | null
  readonly occurred_at: Date | null
  readonly recorded_at: Date
}

/** What a row has of the last event that counted. */
const facts = ({ version, data, recordedAt }: Event) => ({
  version,
  occurred_at: occurredAt(data) ?? null,
  recorded_at: recordedAt
})

/** A sign of life counts from when it was recorded: no clock of a caller makes a session last longer. */
const alive = (ttlMs: number, { recordedAt }: Event) => ({
  touched_at: recordedAt,
  expires_at: new Date(recordedAt.getTime() + ttlMs)
})

const created = (event: Event): SessionRow | undefined => {
  const given = said(SessionCreated, event)
  if (given === undefined) return undefined
  const { user = null, agent = null, data, ttlMs } = given
  return {
    session_id: idOf(event.stream),
    id: event.position,
    user_id: user,
    agent_id: agent,
    data,
    status: "active",
    ttl_ms: ttlMs,
    created_at: occurredAt(event.data) ?? event.recordedAt,
    ended_at: null,
    ...alive(ttlMs, event),
    ...facts(event)
  }
}

const earlier = (one: Date, other: Date): Date => (one < other ? one : other)

/**
 * A session after an event. What comes once it is over, or once its time is, counts no more, but for the event that says that its time is over: so
 * a session that was seen as over is never seen alive again.
 */
export const foldSession = (row: SessionRow | undefined, event: Event): SessionRow | undefined => {
  if (row === undefined) return created(event)
  if (row.status !== "active") return row
  const { recordedAt } = event
  if (said(SessionExpired, event) !== undefined)
    return { ...row, ...facts(event), status: "expired", ended_at: earlier(row.expires_at, recordedAt) }
  if (recordedAt >= row.expires_at) return row
  if (said(SessionEnded, event) !== undefined)
    return {
      ...row,
      ...facts(event),
      status: "ended",
      ended_at: occurredAt(event.data) ?? recordedAt
    }
  const touched = said(SessionTouched, event)
  if (touched === undefined) return row
  return { ...row, ...alive(Number(row.ttl_ms), event), ...facts(event), data: touched.data ?? row.data }
}

export const sessionEntities = entities<SessionRow>({
  table: "session_records",
  key: "session_id",
  // What somebody else has put such an event into is no session.
  keyOf: ({ stream }) => (categoryOf(stream) === SESSION ? idOf(stream) : undefined),
  fold: foldSession
})
