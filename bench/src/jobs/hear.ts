import { now, step, streamOf } from "../event.ts"
import { quantile } from "../quantile.ts"
import type { Store } from "../store.ts"
import { pace, type Pace } from "./pace.ts"

const LOOK_EVERY_MS = 50
const PROBE_STREAM = streamOf(0)
const FIRST_CALLBACK_WITHIN_MS = 15_000
const LAST_CALLBACK_WITHIN_MS = 10_000

/** Milliseconds from the call of append to the subscriber's first callback for the event. */
export interface Ages {
  readonly p50: number
  readonly p99: number
  /** Events that never came, and callbacks for events that had come before. */
  readonly missed: number
  readonly repeated: number
}

/** Looks now and then until `done`; false when `within` ms went by. */
const until = async (done: () => boolean | Promise<boolean>, within: number): Promise<boolean> => {
  const deadline = performance.now() + within
  while (!(await done())) {
    if (performance.now() > deadline) return false
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS))
  }
  return true
}

/** Emits at a steady rate and notes how old each event is when a subscription of the same process hears it. */
export const hear = async (store: Store, load: Pace): Promise<Ages> => {
  if (store.subscribe === undefined) throw new Error("This store has no subscriptions.")
  const began = now()
  const heard = new Map<number, number>()
  let callbacks = 0
  let live = false
  const stop = await store.subscribe((received) => {
    if (received.sentAt === 0) {
      live = true
      return
    }
    // A subscription "from now" may begin a little earlier; what an earlier turn emitted is not this turn's.
    if (received.sentAt < began) return
    callbacks += 1
    if (!heard.has(received.step)) heard.set(received.step, now() - received.sentAt)
  })
  const probe = async (): Promise<boolean> => {
    if (!live) await store.append(PROBE_STREAM, [step(0)])
    return live
  }
  if (!(await until(probe, FIRST_CALLBACK_WITHIN_MS))) throw new Error("The subscription never called back.")
  const sent = await pace(store, load)
  await until(() => heard.size >= sent, LAST_CALLBACK_WITHIN_MS)
  await stop()
  const ages = [...heard.values()]
  return {
    p50: quantile(ages, 0.5),
    p99: quantile(ages, 0.99),
    missed: sent - heard.size,
    repeated: callbacks - heard.size
  }
}
