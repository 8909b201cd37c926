import { Effect, type Scope } from "effect"
import { type ClientConfig, Pool } from "pg"
import type { Answers } from "./pace.ts"
import { Sockets } from "./sockets.ts"

/** How many connections a process opens at most, unless configured. */
export const DEFAULT_POOL_SIZE = 10

/** How long a statement may go without an answer before its connection is given up, in ms. */
export const DEFAULT_ANSWER_TIMEOUT_MS = 30_000

/** How long connections that are lent when the pool closes may still be used, in ms; then what is under way on them is lost. */
const LENT_PATIENCE_MS = 3_000

export interface PoolConfig {
  readonly connection: ClientConfig
  readonly poolSize?: number
  /** How many connections stay open where nobody needs them; 0 by default. */
  readonly poolMinimum?: number
  /** In ms; 0 waits for ever. */
  readonly answerTimeoutMs?: number
}

/** How the connections of a process stand, and how fast the server answers on them. */
export interface PoolStanding {
  /** How many it may open … */
  readonly size: number
  /** … how many are open, those that are being opened among them … */
  readonly open: number
  /** … and how many of these nobody uses. */
  readonly idle: number
  /** How many wait for one. */
  readonly waiting: number
  readonly answers: Answers
}

const ignore = (): void => undefined

/** Opens a pool, which closes with the scope. */
export const openPool = (config: PoolConfig): Effect.Effect<Pool, never, Scope.Scope> => {
  const sockets = new Sockets()
  let lent = 0
  let whenReturned: () => void = ignore
  /** While it waits, the connections that nobody uses stay, so that what is under way may take another. */
  const allReturned = Effect.callback<void>((resume) => {
    whenReturned = () => {
      if (lent === 0) resume(Effect.void)
    }
    whenReturned()
  })
  return Effect.acquireRelease(
    Effect.sync(() => {
      const pool = new Pool({
        ...sockets.tracked(config.connection),
        max: config.poolSize ?? DEFAULT_POOL_SIZE,
        min: config.poolMinimum ?? 0,
        query_timeout: config.answerTimeoutMs ?? DEFAULT_ANSWER_TIMEOUT_MS,
        allowExitOnIdle: false
      })
      // What breaks a connection fails the query on it, or has it replaced at its next use; without listeners, each of
      // these events would end the process.
      pool.on("error", ignore)
      pool.on("connect", (client) => client.on("error", ignore))
      pool.on("acquire", () => {
        lent += 1
      })
      pool.on("release", () => {
        lent -= 1
        whenReturned()
      })
      return pool
    }),
    (pool) =>
      Effect.andThen(
        Effect.timeoutOption(allReturned, LENT_PATIENCE_MS),
        sockets.closeWith(() => pool.end())
      )
  )
}
