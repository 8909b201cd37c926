import { step, streamOf } from "../event.ts"
import type { Store } from "../store.ts"

/** Holds a subscription, and whatever else the store offers, while nothing happens, for `milliseconds` after one event. */
export const listen = async (
  store: Store,
  { milliseconds }: { readonly milliseconds: number }
): Promise<void> => {
  if (store.subscribe === undefined) throw new Error("This store has no subscriptions.")
  const stop = await store.subscribe(() => {})
  await store.attend?.()
  await store.append(streamOf(1), [step(1)])
  await new Promise((resolve) => setTimeout(resolve, milliseconds))
  await stop()
}
