import { Effect } from "effect"
import { Cache } from "../../cache/cache.ts"
import type { CacheStatistics } from "../../cache/statistics.ts"
import type { PoolStanding } from "../../postgres/pool.ts"
import { Postgres } from "../../postgres/postgres.ts"
import { engineStatus } from "../status.ts"
import { type Counts, countsNow } from "./counts.ts"
import { type Indicator, indicatorsOf } from "./indicator.ts"
import type { ServerLoad, ServerLoads } from "./server-load.ts"

/** How much there is, how busy it is, and whether it is as it should be. */
export interface Statistics extends Counts {
  readonly at: Date
  readonly log: { readonly head: number; readonly settled: number }
  readonly cache: CacheStatistics
  /** This engine's connections, and how the server answers on them. */
  readonly pool: PoolStanding
  readonly server: ServerLoad
  /** How far each read model is behind: in events, and in ms (undefined where that is too far to say). */
  readonly readModels: ReadonlyArray<{
    readonly name: string
    readonly state: "running" | "catching up" | "stopped"
    readonly behind: number
    readonly lagMs: number | undefined
  }>
  readonly indicators: ReadonlyArray<Indicator>
}

export const statisticsIn = Effect.fnUntraced(function* (loads: ServerLoads) {
  const postgres = yield* Postgres
  const pool = postgres.pool()
  const server = yield* loads.look(postgres)
  const counts = yield* countsNow
  const cache = yield* (yield* Cache).statistics
  const { head, settled, projections } = yield* engineStatus
  const statistics: Statistics = {
    ...counts,
    at: new Date(),
    log: { head, settled },
    cache,
    pool,
    server,
    readModels: projections.map(({ name, state, lag, lagMs }) => ({
      name,
      state,
      behind: lag.atMost,
      lagMs
    })),
    indicators: indicatorsOf({ pool, server, projections, cache, health: counts.health })
  }
  return statistics
})
