import { AsyncLocalStorage } from "node:async_hooks"
import type { Event, Meta } from "./event.ts"

const handled = new AsyncLocalStorage<Event>()

/** Runs a handler so that what it emits is known to be caused by this event. */
export const causedBy = <A>(event: Event, handle: (event: Event) => A): A => handled.run(event, handle, event)

/** The event that is being handled here, if any. */
export const handledEvent = (): Event | undefined => handled.getStore()

/** What an emit inside a handler takes over: the event is its cause, and they correlate. */
export const causalMeta = (event: Event): Meta => ({
  causationId: event.id,
  correlationId: event.meta.correlationId ?? event.id
})
