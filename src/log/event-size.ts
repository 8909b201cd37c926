import type { Event } from "./event.ts"

/** From what size on it is known of an event how large it is, in bytes: smaller ones are bounded by their number. */
export const LARGE_EVENT_BYTES = 4 * 1024

const sizes = new WeakMap<Event, number>()

/** Notes the size of an event as it was read, about. */
export const noteSize = (event: Event, bytes: number): void => {
  if (bytes >= LARGE_EVENT_BYTES) sizes.set(event, bytes)
}

/** What an event counts in a buffer that is bounded in bytes; 0 where it is small. */
export const sizeOf = (event: Event): number => sizes.get(event) ?? 0

/** An event in the place of another, as an upcaster makes one, counts as that does. */
export const inPlaceOf = (event: Event, original: Event): Event => {
  if (event !== original) noteSize(event, sizeOf(original))
  return event
}
