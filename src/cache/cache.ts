import { Context, Effect, Layer, Result, type Scope } from "effect"
import type { Json } from "../base/json-value.ts"
import { type InvalidArgument, type LogError, logError } from "../log/error.ts"
import type { PostgresError } from "../postgres/error.ts"
import { Postgres, type Rows } from "../postgres/postgres.ts"
import { statement } from "../postgres/sql-file.ts"
import {
  type CacheOptions,
  type CacheSetOptions,
  DEFAULT_TTL_MS,
  keyOf,
  keysOf,
  namespaceOf,
  tagsOf,
  ttlOf,
  valueOf
} from "./entry.ts"
import { hasNoCache, orReadOnly } from "./standing.ts"
import { type CacheStatistics, type CountsRow, statisticsOf } from "./statistics.ts"
import { Tally } from "./tally.ts"

/** How often an engine takes away what is over, in ms, unless configured: every five minutes. It counts no more before. */
const SWEEP_EVERY_MS = 300_000

/** How many entries are swept, or cleared, by one statement. */
const AT_ONCE = 1_000

export interface CacheConfig {
  /** How long an entry counts, in ms, unless `set` says. Default: 3 600 000. */
  readonly ttlMs?: number
  /** How often what is over is taken away, in ms. Default: 300 000. */
  readonly sweepEveryMs?: number
}

type CacheError = LogError | PostgresError

/**
 * What programs keep at hand for a while and can work out again: JSON under keys, for all engines of the log. It is a table of its own and no history:
 * no event tells of it, a crash of the server empties it, and a standby has none.
 */
export class Cache extends Context.Service<
  Cache,
  {
    /** What is kept under a key, and undefined where there is nothing, or it is over. On a standby there never is. Fails with InvalidArgument. */
    readonly get: (key: string, options?: CacheOptions) => Effect.Effect<Json | undefined, CacheError>
    /**
     * Keeps a value, which is JSON of up to 1 MiB, under a key, in place of what was there, its tags and its time included. Fails with InvalidArgument, and
     * with ReadOnly on a standby.
     */
    readonly set: (key: string, value: unknown, options?: CacheSetOptions) => Effect.Effect<void, CacheError>
    /** Takes away what is kept under a key, or several, up to 10 000; how many entries of them still counted. Fails as `set` does. */
    readonly invalidate: (
      keys: string | ReadonlyArray<string>,
      options?: CacheOptions
    ) => Effect.Effect<number, CacheError>
    /** Takes away all that was set with a tag, or with any of several, up to 64; how many entries still counted. Fails as `set` does. */
    readonly invalidateTag: (
      tags: string | ReadonlyArray<string>,
      options?: CacheOptions
    ) => Effect.Effect<number, CacheError>
    /** Takes away all of a namespace that is there when it comes by; how many entries still counted. Fails as `set` does. */
    readonly clear: (options?: CacheOptions) => Effect.Effect<number, CacheError>
    /** How much it holds, and how often it had what was asked for. It reads an index entry for each entry: for dashboards, not for each request. */
    readonly statistics: Effect.Effect<CacheStatistics, PostgresError>
    /** Takes away what is over, which counts no more anyway; how many entries. The engine does so by itself. Fails as `set` does. */
    readonly sweep: Effect.Effect<number, PostgresError>
  }
>()("tidemark/cache/Cache") {
  static readonly layer = (config: CacheConfig = {}): Layer.Layer<Cache, never, Postgres> =>
    Layer.effect(Cache, makeCache(config))
}

interface Dropped {
  readonly dropped: number
}

interface Cleared extends Dropped {
  readonly found: number
  readonly last: string | null
}

const checked = <A>(result: Result.Result<A, InvalidArgument>): Effect.Effect<A, LogError> =>
  Result.isSuccess(result) ? Effect.succeed(result.success) : Effect.fail(logError(result.failure))

const makeCache = Effect.fnUntraced(function* (
  config: CacheConfig
): Effect.fn.Return<Cache["Service"], never, Postgres | Scope.Scope> {
  const postgres = yield* Postgres
  const tally = new Tally(postgres)
  yield* tally.run

  const ask = <Row>(
    query: string,
    values: ReadonlyArray<unknown> = []
  ): Effect.Effect<Rows<Row>, PostgresError> => {
    const { text, name } = statement(query, postgres.schema)
    return postgres.query<Row>(text, values, { name })
  }
  const write = <Row>(query: string, values: ReadonlyArray<unknown>) =>
    Effect.mapError(ask<Row>(query, values), orReadOnly)
  const orNothing = <Row>(asking: Effect.Effect<Rows<Row>, PostgresError>) =>
    Effect.catchIf(asking, hasNoCache, () => Effect.succeed({ rows: [] as ReadonlyArray<Row>, count: 0 }))

  const get: Cache["Service"]["get"] = Effect.fnUntraced(function* (key, options = {}) {
    const namespace = yield* checked(namespaceOf(options))
    const values = [namespace, yield* checked(keyOf(key))]
    const { rows } = yield* orNothing(ask<{ value: Json }>("read_cache_entry", values))
    tally.count(namespace, rows.length > 0)
    return rows[0]?.value
  })

  const set: Cache["Service"]["set"] = Effect.fnUntraced(function* (key, value, options = {}) {
    const { ttlMs = config.ttlMs ?? DEFAULT_TTL_MS, tags = [] } = options
    yield* write("keep_cache_entry", [
      yield* checked(namespaceOf(options)),
      yield* checked(keyOf(key)),
      yield* checked(valueOf(key, value)),
      yield* checked(tagsOf(tags)),
      yield* checked(ttlOf(ttlMs))
    ])
  })

  const drop = Effect.fnUntraced(function* (
    query: string,
    options: CacheOptions,
    what: Result.Result<ReadonlyArray<string>, InvalidArgument>
  ): Effect.fn.Return<number, CacheError> {
    const values = [yield* checked(namespaceOf(options)), yield* checked(what)]
    return (yield* write<Dropped>(query, values)).rows[0]!.dropped
  })

  const clear: Cache["Service"]["clear"] = Effect.fnUntraced(function* (options = {}) {
    const namespace = yield* checked(namespaceOf(options))
    let all = 0
    let last = ""
    for (;;) {
      const { rows } = yield* write<Cleared>("clear_cache", [namespace, last, AT_ONCE])
      const { dropped, found, last: reached } = rows[0]!
      all += dropped
      if (found < AT_ONCE) return all
      last = reached!
    }
  })

  const sweep = Effect.gen(function* () {
    let all = 0
    for (;;) {
      const { rows } = yield* write<{ swept: number }>("sweep_cache", [AT_ONCE])
      const { swept } = rows[0]!
      all += swept
      if (swept < AT_ONCE) return all
    }
  })

  const statistics = Effect.andThen(
    Effect.ignore(tally.tell),
    Effect.map(orNothing(ask<CountsRow>("cache_statistics")), ({ rows }) => statisticsOf(rows))
  )

  const { sweepEveryMs = SWEEP_EVERY_MS } = config
  yield* Effect.forkScoped(Effect.forever(Effect.andThen(Effect.sleep(sweepEveryMs), Effect.ignore(sweep))))
  return Cache.of({
    get,
    set,
    invalidate: (keys, options = {}) => drop("drop_cache_keys", options, keysOf(keys)),
    invalidateTag: (tags, options = {}) => drop("drop_cache_tags", options, tagsOf(tags)),
    clear,
    statistics,
    sweep
  })
})
