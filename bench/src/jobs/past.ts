import type { Store } from "../store.ts"

/** Goes once through all that the log holds; events per second. */
export const past = async (store: Store): Promise<number> => {
  if (store.past === undefined) throw new Error("This store has no replay.")
  const began = performance.now()
  const count = await store.past()
  return count / ((performance.now() - began) / 1000)
}
