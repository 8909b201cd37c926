import type { Effect } from "effect"
import type { Json } from "../base/json-value.ts"
import type { Cache } from "../cache/cache.ts"
import type { CacheOptions, CacheSetOptions } from "../cache/entry.ts"
import type { CacheStatistics } from "../cache/statistics.ts"

/**
 * What programs keep at hand for a while and can work out again, for all engines of the log: a table beside the log, which a crash of the server empties. Each
 * call is about one namespace, `default` unless it names another. What writes rejects with ReadOnly on a standby, and with AccessDenied where the role
 * may only read; no call is a part of a transaction.
 */
export interface EngineCache {
  /**
   * What is kept under a key; undefined where there is nothing, or its time is over. On a standby there never is anything. Rejects with
   * InvalidArgument.
   */
  readonly get: (key: string, options?: CacheOptions) => Promise<Json | undefined>
  /**
   * Keeps a value under a key of up to 512 characters, in place of what was there, its tags and its time included: JSON of up to 1 MiB, for `ttlMs` (3 600 000
   * by default), with `tags` by which it may be invalidated with others. Rejects with InvalidArgument.
   */
  readonly set: (key: string, value: unknown, options?: CacheSetOptions) => Promise<void>
  /** Takes away what is kept under a key, or under several; how many entries of them still counted. Rejects with InvalidArgument. */
  readonly invalidate: (keys: string | ReadonlyArray<string>, options?: CacheOptions) => Promise<number>
  /** Takes away all that was set with a tag, or with any of several; how many entries still counted. Rejects with InvalidArgument. */
  readonly invalidateTag: (tags: string | ReadonlyArray<string>, options?: CacheOptions) => Promise<number>
  /** Takes away all of the namespace that is there when it comes by; how many entries still counted. Rejects with InvalidArgument. */
  readonly clear: (options?: CacheOptions) => Promise<number>
  /**
   * How much all namespaces hold, and how often they had what was asked for, by all engines: what others counted in the last 10 000 ms may be missing. For
   * dashboards: it takes longer the more entries there are.
   */
  readonly statistics: () => Promise<CacheStatistics>
  /** Takes away what is over, which counts no more anyway; how many entries. Every engine does so by itself now and then. */
  readonly sweep: () => Promise<number>
}

/** The cache, as promises. */
export const promisedCache = (
  cache: Cache["Service"],
  run: <A>(effect: Effect.Effect<A, unknown>) => Promise<A>
): EngineCache => ({
  get: (key, options) => run(cache.get(key, options)),
  set: (key, value, options) => run(cache.set(key, value, options)),
  invalidate: (keys, options) => run(cache.invalidate(keys, options)),
  invalidateTag: (tags, options) => run(cache.invalidateTag(tags, options)),
  clear: (options) => run(cache.clear(options)),
  statistics: () => run(cache.statistics),
  sweep: () => run(cache.sweep)
})
