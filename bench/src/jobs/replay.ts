import type { Store } from "../store.ts"

/** Reads the log from its beginning, for at most so many ms; events per second. */
export const replay = async (store: Store, { longest }: { readonly longest: number }): Promise<number> => {
  if (store.replay === undefined) throw new Error("This store cannot read its whole log.")
  const began = performance.now()
  const count = await store.replay(() => performance.now() - began > longest)
  return count / ((performance.now() - began) / 1000)
}
