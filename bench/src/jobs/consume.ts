import type { Store } from "../store.ts"

/** Works on a durable subscription until all of its partitions have passed a position; how many events it was given. */
export const consume = async (
  store: Store,
  { name, end }: { readonly name: string; readonly end: number }
): Promise<number> => {
  if (store.consume === undefined) throw new Error("This store has no durable subscriptions.")
  return store.consume(name, end)
}
