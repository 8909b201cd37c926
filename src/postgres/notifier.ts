import { Effect, type Scope } from "effect"
import { type ClientConfig, Pool } from "pg"
import { Sockets } from "./sockets.ts"

/** How long a NOTIFY may take, in ms; one that does not get through costs latency, never an event. */
const NOTIFY_ANSWER_MS = 5_000

/** How long the connection is kept without use, in ms. */
const IDLE_MS = 60_000

/** How long after one NOTIFY the next may follow, whoever sent the first, in ms: each wakes every listening process. */
const GAP_MS = 5

/** A NOTIFY that a crash takes back costs latency, never an event; it need not wait for the disk, nor hold an append up there. */
const NOTIFY = {
  name: "tidemark_notify",
  text: "select pg_notify($1, $2) from set_config('synchronous_commit', 'off', true)"
}

/** Sends NOTIFYs on a connection of its own. */
export interface Notifier {
  /**
   * Tells the channel's listeners to look up to a position, soon, and never holds the caller up: at once after a pause;
   * shortly after another NOTIFY, all that come become one, with the highest position. One that fails is dropped.
   */
  readonly touch: (position: number) => void
  /** The listeners were told of a position, perhaps by another process: who looks up to there finds all that is below as well. */
  readonly heard: (position: number) => void
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
      let next: number | undefined
      let underWay = false
      let toldAt = Number.NEGATIVE_INFINITY

      const send = async (payload: string): Promise<boolean> => {
        try {
          await pool.query({ ...NOTIFY, values: [channel, payload] })
          return true
        } catch {
          return false
        }
      }

      const drain = async (): Promise<void> => {
        underWay = true
        while (next !== undefined && !pool.ending) {
          const early = toldAt + GAP_MS - performance.now()
          if (early > 0) {
            await new Promise((resolve) => setTimeout(resolve, early))
            continue
          }
          const position = next
          next = undefined
          toldAt = performance.now()
          await send(String(position))
        }
        underWay = false
      }

      return {
        touch: (position) => {
          next = Math.max(next ?? 0, position)
          if (!underWay) void drain()
        },
        heard: (position) => {
          toldAt = performance.now()
          if (next !== undefined && next <= position) next = undefined
        },
        send: (payload) => Effect.promise(() => send(payload))
      }
    }
  )
