import { Schema } from "effect"
import type { Event } from "./event.ts"
import { eventType } from "./event-type.ts"

/** The category of the streams that tell, of each category of telemetry, up to where it is over: `telemetry_retirement-heartbeat`. */
export const RETIREMENT = "telemetry_retirement"

/** Where it is told of a category. */
export const retirementStream = (category: string): string => `${RETIREMENT}-${category}`

/**
 * The telemetry of a category is over up to a position: read models keep nothing of it any more, and its partitions may go. It is an event, so that
 * a read model that is built anew, with or without what is over, comes to the same rows.
 */
export const TelemetryRetired = eventType(
  "TelemetryRetired",
  Schema.Struct({
    upTo: Schema.Int,
    /** Nothing up to there was recorded at this time or later, in ISO 8601. */
    recordedBefore: Schema.String,
    /** For how long it was to be kept. */
    keptDays: Schema.Finite
  })
)

const upToIn = (data: unknown): number | undefined => {
  if (typeof data !== "object" || data === null || !("upTo" in data)) return undefined
  return Number.isSafeInteger(data.upTo) ? (data.upTo as number) : undefined
}

/** Up to which position a category is over, as some events say; undefined where none does. No event speaks of what comes after it. */
export const retiredUpTo = (events: ReadonlyArray<Event>, category: string): number | undefined => {
  const stream = retirementStream(category)
  let last: number | undefined
  for (const event of events) {
    if (event.stream !== stream || !TelemetryRetired.is(event)) continue
    const upTo = upToIn(event.data)
    if (upTo !== undefined) last = Math.max(last ?? 0, Math.min(upTo, event.position - 1))
  }
  return last
}
