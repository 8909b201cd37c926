import type { CacheStatistics } from "../../cache/statistics.ts"
import type { PoolStanding } from "../../postgres/pool.ts"
import type { EngineStatus } from "../status.ts"
import type { Counts } from "./counts.ts"
import type { ServerLoad } from "./server-load.ts"

/** What a fleet is measured by: a number, and what it should be. */
export interface Indicator {
  readonly name: IndicatorName
  /** Undefined where nothing was measured. */
  readonly value: number | undefined
  readonly unit: "percent" | "ms" | "per second" | "agents"
  /** `below`: smaller is better. */
  readonly target: { readonly below: number } | { readonly above: number }
  /** Undefined where nothing was measured, or where less than the target may only mean that nobody wants more. */
  readonly isMet: boolean | undefined
}

export type IndicatorName =
  | "pool utilisation"
  | "statement p95"
  | "failed statements"
  | "server connections"
  | "lock contention"
  | "transactions"
  | "read model lag"
  | "cache hit rate"
  | "lost agents"

/** What indicators are worked out of. */
export interface IndicatorFacts {
  readonly pool: PoolStanding
  readonly server: ServerLoad
  readonly projections: EngineStatus["projections"]
  readonly health: Counts["health"]
  readonly cache: Pick<CacheStatistics, "hitRate">
}

/** The targets of the fleet's documents. */
const TARGETS = {
  poolPercent: 80,
  statementMs: 100,
  failedPercent: 5,
  connectionsPercent: 80,
  lockPercent: 5,
  transactions: 1_000,
  lagMs: 1_000,
  hitPercent: 80,
  lostAgents: 1
} as const

const percent = (part: number, whole: number): number | undefined =>
  whole === 0 ? undefined : (100 * part) / whole

const below = (
  name: IndicatorName,
  unit: Indicator["unit"],
  value: number | undefined,
  limit: number
): Indicator => ({
  name,
  value,
  unit,
  target: { below: limit },
  isMet: value === undefined ? undefined : value < limit
})

/** The longest time that an event waits to be folded; infinite where one of them is too far behind to say. */
const longestLag = (projections: EngineStatus["projections"]): number =>
  Math.max(0, ...projections.map(({ lagMs }) => lagMs ?? Number.POSITIVE_INFINITY))

/** All indicators, in an order that never changes. */
export const indicatorsOf = ({
  pool,
  server,
  projections,
  health,
  cache
}: IndicatorFacts): ReadonlyArray<Indicator> => {
  const { answers } = pool
  const transactions = server.transactionsPerSecond
  const hits = cache.hitRate === null ? undefined : 100 * cache.hitRate
  return [
    below("pool utilisation", "percent", percent(pool.open - pool.idle, pool.size), TARGETS.poolPercent),
    below("statement p95", "ms", answers.p95Ms, TARGETS.statementMs),
    below("failed statements", "percent", percent(answers.failed, answers.statements), TARGETS.failedPercent),
    below(
      "server connections",
      "percent",
      percent(server.connections, server.maxConnections),
      TARGETS.connectionsPercent
    ),
    below(
      "lock contention",
      "percent",
      percent(server.waitingForLocks, Math.max(1, server.active)),
      TARGETS.lockPercent
    ),
    {
      name: "transactions",
      value: transactions,
      unit: "per second",
      target: { above: TARGETS.transactions },
      isMet: transactions !== undefined && transactions > TARGETS.transactions ? true : undefined
    },
    below("read model lag", "ms", longestLag(projections), TARGETS.lagMs),
    {
      name: "cache hit rate",
      value: hits,
      unit: "percent",
      target: { above: TARGETS.hitPercent },
      isMet: hits === undefined ? undefined : hits > TARGETS.hitPercent
    },
    below("lost agents", "agents", health.lost, TARGETS.lostAgents)
  ]
}
