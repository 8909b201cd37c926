import { Effect } from "effect"
import { logError, type LogError, UpcastFailed } from "./error.ts"
import type { Event, Meta } from "./event.ts"
import type { EventTypes } from "./event-type.ts"

/** An event as the view event_rows has it, by column; int8 comes as text. */
export type EventRow = [
  position: string,
  id: string,
  stream: string,
  version: string,
  type: string,
  data: unknown,
  labels: ReadonlyArray<string> | null,
  meta: Meta | null,
  recordedMs: number,
  schemaVersion: number
]

const NO_LABELS: ReadonlyArray<string> = Object.freeze([])
const NO_META: Meta = Object.freeze({})

export const eventOf = (row: EventRow): Event => ({
  position: Number(row[0]),
  id: row[1],
  stream: row[2],
  version: Number(row[3]),
  type: row[4],
  data: row[5],
  labels: row[6] ?? NO_LABELS,
  meta: row[7] ?? NO_META,
  recordedAt: new Date(row[8]),
  schemaVersion: row[9]
})

/** The event at the current version of its type. */
export const upcastEvent = (types: EventTypes, event: Event): Effect.Effect<Event, LogError> =>
  Effect.try({
    try: () => types.upcast(event),
    catch: (thrown) =>
      logError(
        new UpcastFailed({
          position: event.position,
          type: event.type,
          schemaVersion: event.schemaVersion,
          detail: thrown instanceof Error ? thrown.message : String(thrown)
        })
      )
  })
