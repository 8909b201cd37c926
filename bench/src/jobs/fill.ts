import { steps, streamOf } from "../event.ts"
import type { Store } from "../store.ts"

const EVENTS_PER_APPEND = 250
const FILLERS = 4

/** Writes about so many events into an empty log, through the store's own append. */
export const fill = async (store: Store, { events }: { readonly events: number }): Promise<void> => {
  let left = Math.ceil(events / EVENTS_PER_APPEND)
  const filler = async (): Promise<void> => {
    while (left > 0) {
      left -= 1
      await store.append(streamOf(1 + left), steps(EVENTS_PER_APPEND))
    }
  }
  await Promise.all(Array.from({ length: FILLERS }, filler))
}
