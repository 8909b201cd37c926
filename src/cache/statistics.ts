/** How a cache, or a namespace of it, does. */
export interface CacheCounts {
  /** How many entries count at this moment. */
  readonly entries: number
  /** How large their values are as JSON. */
  readonly bytes: number
  /** How often the cache had what was asked for, by all engines: those of other engines are in it within 10 000 ms. */
  readonly hits: number
  readonly misses: number
  /** The part of all questions that were hits, from 0 to 1; null where nothing was asked. */
  readonly hitRate: number | null
}

export interface NamespaceCounts extends CacheCounts {
  readonly namespace: string
}

/** How the cache does as a whole, and by namespace. */
export interface CacheStatistics extends CacheCounts {
  readonly namespaces: ReadonlyArray<NamespaceCounts>
}

export type CountsRow = Omit<NamespaceCounts, "hitRate">

const hitRate = (hits: number, misses: number): number | null =>
  hits + misses === 0 ? null : hits / (hits + misses)

const sum = (rows: ReadonlyArray<CountsRow>, of: Exclude<keyof CountsRow, "namespace">): number =>
  rows.reduce((total, row) => total + row[of], 0)

export const statisticsOf = (rows: ReadonlyArray<CountsRow>): CacheStatistics => {
  const [hits, misses] = [sum(rows, "hits"), sum(rows, "misses")]
  return {
    entries: sum(rows, "entries"),
    bytes: sum(rows, "bytes"),
    hits,
    misses,
    hitRate: hitRate(hits, misses),
    namespaces: rows.map((row) => ({ ...row, hitRate: hitRate(row.hits, row.misses) }))
  }
}
