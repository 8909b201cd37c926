import { Effect } from "effect"
import { logError, type LogError, UpcastFailed } from "./error.ts"
import type { Event, Meta } from "./event.ts"
import { inPlaceOf, noteSize } from "./event-size.ts"
import type { EventTypes } from "./event-type.ts"
import type { Portion } from "./page-size.ts"

/** An event as a query of a page has it, by column; int8 comes as text, and so does JSON, which shows its size. */
export type EventRow = [
  position: string,
  id: string,
  stream: string,
  version: string,
  type: string,
  data: string,
  labels: ReadonlyArray<string> | null,
  meta: string | null,
  recordedMs: number,
  schemaVersion: number,
  isCut: boolean
]

const NO_LABELS: ReadonlyArray<string> = Object.freeze([])
const NO_META: Meta = Object.freeze({})

const eventOf = (row: EventRow): Event => {
  const data = row[5]
  const meta = row[7]
  const event: Event = {
    position: Number(row[0]),
    id: row[1],
    stream: row[2],
    version: Number(row[3]),
    type: row[4],
    data: JSON.parse(data) as unknown,
    labels: row[6] ?? NO_LABELS,
    meta: meta === null ? NO_META : (JSON.parse(meta) as Meta),
    recordedAt: new Date(row[8]),
    schemaVersion: row[9]
  }
  noteSize(event, data.length + (meta?.length ?? 0))
  return event
}

/** What a query for so many events brought. */
export const portionOf = (rows: ReadonlyArray<EventRow>, limit: number): Portion => {
  const last = rows.at(-1)
  let events: ReadonlyArray<Event> | undefined
  return {
    get events() {
      return (events ??= rows.map(eventOf))
    },
    count: rows.length,
    last: last === undefined ? 0 : Number(last[0]),
    isFull: rows.length === limit || last?.[10] === true
  }
}

/** The event at the current version of its type, or why there is none. */
export const upToDate = (types: EventTypes, event: Event): Event | UpcastFailed => {
  try {
    return inPlaceOf(types.upcast(event), event)
  } catch (thrown) {
    const { position, type, schemaVersion } = event
    const detail = thrown instanceof Error ? thrown.message : String(thrown)
    return new UpcastFailed({ position, type, schemaVersion, detail })
  }
}

/** The event at the current version of its type. */
export const upcastEvent = (types: EventTypes, event: Event): Effect.Effect<Event, LogError> =>
  Effect.suspend(() => {
    const current = upToDate(types, event)
    return current instanceof UpcastFailed ? Effect.fail(logError(current)) : Effect.succeed(current)
  })
