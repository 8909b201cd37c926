import { uuid } from "../base/uuid.ts"
import type { Event, NewEvent } from "../log/event.ts"

/** Events as they would come out of the log. */
export interface Recorded {
  /** The stream that they are all of. Default: `test-1`. */
  readonly stream?: string
  /** When the first of them was recorded; each next one is 1 ms later. Default: 2000-01-01T00:00:00Z. */
  readonly recordedAt?: Date
  /** How many events there were in the stream, and in the log, before them. Default: 0. */
  readonly after?: number
}

const STREAM = "test-1"
const RECORDED_AT = new Date("2000-01-01T00:00:00Z")

/** What data are once they went through the log: JSON, with the time that they happened at in them. */
const dataOf = ({ data = {}, occurredAt }: NewEvent): unknown => {
  const happened = occurredAt === undefined ? data : { ...(data as object), occurredAt }
  return JSON.parse(JSON.stringify(happened))
}

/**
 * Events as a fold or a handler would get them, had these been emitted to an empty log: with ids, versions and positions 1, 2, 3 …
 * Nothing is checked, and no server is asked.
 */
export const recordedEvents = (
  events: ReadonlyArray<NewEvent>,
  { stream = STREAM, recordedAt = RECORDED_AT, after = 0 }: Recorded = {}
): ReadonlyArray<Event> =>
  events.map((event, index) => ({
    position: after + index + 1,
    id: event.id ?? uuid(),
    stream,
    version: after + index + 1,
    type: event.type,
    data: dataOf(event),
    labels: event.labels ?? [],
    meta: event.meta ?? {},
    recordedAt: new Date(recordedAt.getTime() + index),
    schemaVersion: event.schemaVersion ?? 1
  }))
