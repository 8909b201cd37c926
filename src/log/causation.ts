import { AsyncLocalStorage } from "node:async_hooks"
import type { Event, Meta } from "./event.ts"

const handled = new AsyncLocalStorage<Event>()
const transacting = new AsyncLocalStorage<true>()

/** Runs a handler so that what it emits is known to be caused by this event. */
export const causedBy = <A>(event: Event, handle: (event: Event) => A): A => handled.run(event, handle, event)

/** The event that is being handled here, if any. */
export const handledEvent = (): Event | undefined => handled.getStore()

/** What an emit inside a handler takes over: the event is its cause, and they correlate. */
export const causalMeta = (event: Event): Meta => ({
  causationId: event.id,
  correlationId: event.meta.correlationId ?? event.id
})

/** Runs the body of a caller's transaction so that what it calls knows that it is inside one. */
export const withinTransaction = <A>(body: () => A): A => transacting.run(true, body)

/** Whether this runs inside a caller's transaction: then nothing may wait for what only its commit brings about. */
export const isWithinTransaction = (): boolean => transacting.getStore() === true

/** Whether a query may wait for what was written before: what is under way here may be what that waits for. */
export const mayWaitForWrites = (): boolean => !isWithinTransaction() && handledEvent() === undefined
