import { Effect } from "effect"
import type { Event } from "../../src/log/event.ts"
import type { PostgresError } from "../../src/postgres/error.ts"
import type { OperationContext } from "../../src/projection/operation.ts"
import { sessionStream } from "./events.ts"
import { foldSession, type SessionRow } from "./fold.ts"
import type { SessionStatus } from "./life-cycle.ts"

/** An event that the read model has not folded yet, as the statement gives it. */
interface TailEvent extends Pick<Event, "position" | "id" | "version" | "type" | "data"> {
  readonly recordedMs: number
}

type StandingRow = (SessionRow | { readonly [Column in keyof SessionRow]: null }) & {
  readonly session: string
  readonly now: Date
  readonly events: ReadonlyArray<TailEvent> | null
}

/** How a session stands in the log. */
export interface Standing {
  readonly session: string
  /** As all of its events make it; undefined where there is none. */
  readonly row: SessionRow | undefined
  /** Of its stream; 0 where nothing is in it, and of no meaning where the session is over. */
  readonly version: number
  /** By the database's clock. */
  readonly now: Date
}

const standingOf = ({ session, now, events, ...recorded }: StandingRow): Standing => {
  let row: SessionRow | undefined = recorded.session_id === null ? undefined : (recorded as SessionRow)
  let version = Number(recorded.version ?? 0)
  for (const { recordedMs, ...event } of events ?? []) {
    row = foldSession(row, {
      ...event,
      stream: sessionStream(session),
      labels: [],
      meta: {},
      recordedAt: new Date(recordedMs),
      schemaVersion: 1
    })
    version = event.version
  }
  return { session, row, version, now }
}

/** How sessions stand in the log itself, ahead of the read model: what that has of each, and the events beyond, folded as it folds them. */
export const standings = (
  sessions: ReadonlyArray<string>,
  { query }: OperationContext
): Effect.Effect<ReadonlyArray<Standing>, PostgresError> =>
  Effect.map(
    query<StandingRow>("#projections/sessions/standing.sql", [sessions.map(sessionStream), sessions]),
    (rows) => rows.map((row) => standingOf(row))
  )

/** How long a session still lasts, in ms; 0 or less where its time is over. */
export const leftMs = ({ expires_at }: SessionRow, now: Date): number => expires_at.getTime() - now.getTime()

/** The status of a session at a time, whether an event says so by then or not. */
export const statusAt = (row: SessionRow, now: Date): SessionStatus =>
  row.status === "active" && leftMs(row, now) <= 0 ? "expired" : row.status
