import { step, streamOf } from "../event.ts"
import { quantile } from "../quantile.ts"
import type { Store } from "../store.ts"

export interface Load {
  /** Callers that each wait for their append before they make the next, every one on a stream of its own. */
  readonly callers: number
  readonly eventsPerAppend: number
  readonly milliseconds: number
  /** Sets the streams of several drivers apart. */
  readonly firstStream?: number
}

/** What was acknowledged under a load, and how long each append took its caller, in ms. */
export interface LoadResult {
  readonly eventsPerSecond: number
  readonly p50: number
  readonly p99: number
}

/** Drives a store in a closed loop. */
export const drive = async (store: Store, load: Load): Promise<LoadResult> => {
  const { callers, eventsPerAppend, milliseconds, firstStream = 1 } = load
  const latencies: Array<number> = []
  const began = performance.now()
  const deadline = began + milliseconds

  const call = async (stream: string): Promise<void> => {
    for (let number = 0; performance.now() < deadline; number += 1) {
      const events = Array.from({ length: eventsPerAppend }, () => step(number))
      const started = performance.now()
      await store.append(stream, events)
      latencies.push(performance.now() - started)
    }
  }

  await Promise.all(Array.from({ length: callers }, (_, caller) => call(streamOf(firstStream + caller))))
  const seconds = (performance.now() - began) / 1000
  return {
    eventsPerSecond: (latencies.length * eventsPerAppend) / seconds,
    p50: quantile(latencies, 0.5),
    p99: quantile(latencies, 0.99)
  }
}
