import type { HealthFacts } from "../../../src/engine/oversight/checks.ts"
import type { PoolStanding } from "../../../src/postgres/pool.ts"
import type { ServerLoad } from "../../../src/engine/oversight/server-load.ts"
import { healthy } from "../healthy.ts"

const pool: PoolStanding = {
  size: 10,
  open: 4,
  idle: 3,
  waiting: 0,
  answers: { statements: 1_000, failed: 0, p50Ms: 1, p95Ms: 2, p99Ms: 3 }
}

const server: ServerLoad = {
  connections: 20,
  maxConnections: 97,
  active: 4,
  waitingForLocks: 0,
  transactionsPerSecond: 1_500
}

/** An engine, its log and its fleet of which nothing is to be said. */
export const well: HealthFacts = {
  status: healthy.status,
  pool,
  server,
  answerMs: 0.4,
  agents: { late: 0, lost: 0, names: [] },
  critical: 0
}

/** The same with another status. */
export const withStatus = (given: object): HealthFacts => ({ ...well, status: { ...well.status, ...given } })

export const withPool = (given: Partial<PoolStanding>): HealthFacts => ({
  ...well,
  pool: { ...pool, ...given }
})

export const withServer = (given: Partial<ServerLoad>): HealthFacts => ({
  ...well,
  server: { ...server, ...given }
})

const running = { state: "running", lag: { atMost: 0, isCount: true }, lagMs: 0, owner: { engine: "e" } }

/** A read model that keeps up, with what is given in its place. */
export const readModel = (name: string, given: object = {}): object => ({ name, ...running, ...given })

/** A durable subscription of which nothing is to be said. */
export const subscription = (name: string, given: object = {}): object => ({
  name,
  state: "running",
  members: 1,
  lag: { atLeast: 0, atMost: 0 },
  lagMs: 0,
  held: { retrying: 0, waiting: 0, parked: 0 },
  partitions: [{ state: "running" }],
  ...given
})
