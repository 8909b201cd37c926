import type { Advice } from "./advice.ts"
import type { Facts } from "./facts.ts"
import { bytesOf, numberOf, sizeSetting } from "./setting.ts"

const MEGABYTE = 1024 ** 2
const GIGABYTE = 1024 ** 3

/** Shares of the machine's memory: advised, and from where to where it is well enough. */
const SHARED_BUFFERS = { advised: 0.25, least: 0.1, most: 0.5 }
const CACHE_SIZE = { advised: 0.75, least: 0.4, most: 0.95 }

/** Where the memory of the server is not known: the least that is well enough, and what is advised, in bytes. */
const LEAST_BUFFERS = 128 * MEGABYTE
const ADVISED_BUFFERS = 256 * MEGABYTE
const LEAST_CACHE_SIZE = GIGABYTE

const LEAST_WORK_MEM = 4 * MEGABYTE
const ADVISED_WORK_MEM = 16 * MEGABYTE
const LEAST_MAINTENANCE_MEM = 64 * MEGABYTE
const LEAST_WAL_BUFFERS = 16 * MEGABYTE

/** All connections at a sort each are not to take more than this share of the memory. */
const MOST_AT_WORK = 0.5

interface Shares {
  readonly advised: number
  readonly least: number
  readonly most: number
}

const percent = (share: number): string => `${Math.round(share * 100)} %`

/** A setting that is a share of the machine's memory, or at least something where that is not known. */
const share = (
  name: string,
  shares: Shares,
  unknown: { readonly least: number; readonly advised: number },
  why: string
): Advice => ({
  name,
  advised: `${percent(shares.advised)} of the memory; ${sizeSetting(unknown.advised)} at least, where that is not known`,
  why,
  severity: "hint",
  reads: [name],
  judge: (facts) => {
    const bytes = bytesOf(facts, name)
    const { memoryBytes } = facts
    if (memoryBytes === undefined)
      return bytes >= unknown.least
        ? undefined
        : { found: sizeSetting(bytes), set: { [name]: sizeSetting(unknown.advised) } }
    const isWell = bytes >= shares.least * memoryBytes && bytes <= shares.most * memoryBytes
    return isWell
      ? undefined
      : {
          found: `${sizeSetting(bytes)} of ${sizeSetting(memoryBytes)}, ${percent(bytes / memoryBytes)}`,
          set: { [name]: sizeSetting(shares.advised * memoryBytes) }
        }
  }
})

const least = (name: string, bytes: number, advised: number, why: string): Advice => ({
  name,
  advised: `${sizeSetting(advised)} and more`,
  why,
  severity: "hint",
  reads: [name],
  judge: (facts) => {
    const found = bytesOf(facts, name)
    return found >= bytes ? undefined : { found: sizeSetting(found), set: { [name]: sizeSetting(advised) } }
  }
})

/** What all connections together may take for their sorts. */
const atWork = (facts: Facts): number => bytesOf(facts, "work_mem") * numberOf(facts, "max_connections")

/** That pages are found in memory, and that memory is enough. */
export const memory: ReadonlyArray<Advice> = [
  share(
    "shared_buffers",
    SHARED_BUFFERS,
    { least: LEAST_BUFFERS, advised: ADVISED_BUFFERS },
    "heads of streams, ends of tables and upper pages of indexes are read again and again; far more than a quarter is taken from the system's own cache"
  ),
  share(
    "effective_cache_size",
    CACHE_SIZE,
    { least: LEAST_CACHE_SIZE, advised: LEAST_CACHE_SIZE },
    "it takes no memory: it tells the planner how much is cached, and below that it reads whole tables where an index would do"
  ),
  least(
    "work_mem",
    LEAST_WORK_MEM,
    ADVISED_WORK_MEM,
    "lists and batches of folds that do not fit into it are sorted on disk"
  ),
  {
    name: "work_mem of all connections",
    advised: `at most ${percent(MOST_AT_WORK)} of the memory`,
    why: "each connection may take it several times over: where all do, the system ends the server for want of memory",
    severity: "warning",
    reads: ["work_mem", "max_connections"],
    judge: (facts) => {
      const { memoryBytes } = facts
      if (memoryBytes === undefined || atWork(facts) <= MOST_AT_WORK * memoryBytes) return undefined
      return {
        found: `${numberOf(facts, "max_connections")} connections × ${sizeSetting(bytesOf(facts, "work_mem"))} of ${sizeSetting(memoryBytes)}`,
        remedy: "lower work_mem or max_connections"
      }
    }
  },
  least(
    "maintenance_work_mem",
    LEAST_MAINTENANCE_MEM,
    LEAST_MAINTENANCE_MEM,
    "VACUUM and the building of indexes, by rebuilds and by maintain, go over their table in fewer passes"
  ),
  least(
    "wal_buffers",
    LEAST_WAL_BUFFERS,
    LEAST_WAL_BUFFERS,
    "appends of many engines fill small ones before they are written out; it follows shared_buffers, up to that, where it is -1"
  )
]
