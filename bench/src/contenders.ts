import type { Contender } from "./store.ts"

export const TIDEMARK = "tidemark"
export const BARE = "bare insert"
export const EMMETT = "emmett"
export const MESSAGE_DB = "message-db"
/** Not a peer of its own: message-db when no two emitters share a category, and so none waits for another's lock. */
export const MESSAGE_DB_SPREAD = "message-db (a category each)"
export const DCB = "dcb-event-store"

/** The event stores that Tidemark is measured against. */
export const PEERS: ReadonlyArray<string> = [EMMETT, MESSAGE_DB, DCB]

export const isPeer = (name: string): boolean => PEERS.includes(name)

export const isBare = (name: string): boolean => name === BARE

// Loaded one by one: Emmett sets pg's parsers for the whole process, and dcb-event-store cannot read with them.
const LOADERS: ReadonlyMap<string, () => Promise<Contender>> = new Map([
  [TIDEMARK, async () => (await import("./tidemark.ts")).tidemark],
  [BARE, async () => (await import("./peers/bare.ts")).bare],
  [EMMETT, async () => (await import("./peers/emmett.ts")).emmett],
  [MESSAGE_DB, async () => (await import("./peers/message-db.ts")).messageDb],
  [MESSAGE_DB_SPREAD, async () => (await import("./peers/message-db.ts")).messageDbSpread],
  [DCB, async () => (await import("./peers/dcb.ts")).dcb]
])

export const contenderNamed = (name: string): Promise<Contender> => {
  const load = LOADERS.get(name)
  if (load === undefined) throw new Error(`There is no contender called "${name}".`)
  return load()
}
