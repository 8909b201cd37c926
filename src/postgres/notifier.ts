import { Effect, type Scope } from "effect"
import { type ClientConfig, Pool } from "pg"
import { Sockets } from "./sockets.ts"

/** How long a NOTIFY may take, in ms; one that does not get through costs latency, never an event. */
const NOTIFY_ANSWER_MS = 5_000

/** How long the connection is kept without use, in ms. */
const IDLE_MS = 60_000

/** How long after one NOTIFY the next may follow, in ms: each wakes every listening process. */
const GAP_MS = 5

const NOTIFY = "select pg_notify($1, $2)"

/** Sends NOTIFYs on a connection of its own. */
export interface Notifier {
  /**
   * Tells the channel's listeners to look, soon, and never holds the caller up: at once after a pause; while one NOTIFY is
   * under way and shortly after it, all that come become one, with the last payload. One that fails is dropped.
   */
  readonly touch: (payload: string) => void
  /** Sends one payload and waits until it is sent; false where it could not be. */
  readonly send: (payload: string) => Effect.Effect<boolean>
}

export const notifier = (
  connection: ClientConfig,
  channel: string
): Effect.Effect<Notifier, never, Scope.Scope> =>
  Effect.map(
    Effect.acquireRelease(
      Effect.sync(() => {
        const sockets = new Sockets()
        const pool = new Pool({
          ...sockets.tracked(connection),
          max: 1,
          idleTimeoutMillis: IDLE_MS,
          query_timeout: NOTIFY_ANSWER_MS
        })
        pool.on("error", () => undefined)
        return { pool, sockets }
      }),
      ({ pool, sockets }) => sockets.closeWith(() => pool.end())
    ),
    ({ pool }): Notifier => {
      let next: string | undefined
      let underWay = false
      let sentAt = Number.NEGATIVE_INFINITY

      const send = async (payload: string): Promise<boolean> => {
        try {
          await pool.query(NOTIFY, [channel, payload])
          return true
        } catch {
          return false
        }
      }

      const drain = async (): Promise<void> => {
        underWay = true
        while (next !== undefined && !pool.ending) {
          const early = sentAt + GAP_MS - performance.now()
          if (early > 0) await new Promise((resolve) => setTimeout(resolve, early))
          const payload = next
          next = undefined
          sentAt = performance.now()
          if (!pool.ending) await send(payload)
        }
        underWay = false
      }

      return {
        touch: (payload) => {
          next = payload
          if (!underWay) void drain()
        },
        send: (payload) => Effect.promise(() => send(payload))
      }
    }
  )
