import { now, step, streamOf } from "../event.ts"
import type { Store } from "../store.ts"

const TICK_MS = 1

export interface Pace {
  readonly perSecond: number
  readonly milliseconds: number
  /** The events go to so many streams in turn; to further ones while each of these has an append in flight. */
  readonly streams: number
}

/** Emits at a steady rate, never waiting for an answer; resolves to the number of events once all are durable. */
export const pace = async (
  store: Pick<Store, "append">,
  { perSecond, milliseconds, streams }: Pace
): Promise<number> => {
  const total = Math.round((perSecond * milliseconds) / 1000)
  const free = Array.from({ length: streams }, (_, index) => streamOf(1 + index))
  const appends: Array<Promise<unknown>> = []
  const failures: Array<unknown> = []
  let opened = streams

  const emit = async (number: number): Promise<void> => {
    // One append at a time per stream: Emmett refuses a second one as a conflict.
    const stream = free.shift() ?? streamOf((opened += 1))
    await store.append(stream, [step(number, now())])
    free.push(stream)
  }

  const began = performance.now()
  while (appends.length < total) {
    const due = Math.min(total, Math.floor(((performance.now() - began) * perSecond) / 1000))
    while (appends.length < due) appends.push(emit(appends.length).catch((error) => failures.push(error)))
    await new Promise((resolve) => setTimeout(resolve, TICK_MS))
  }
  await Promise.all(appends)
  if (failures.length > 0) throw failures[0]
  return total
}
