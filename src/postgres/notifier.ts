import { Effect, type Scope } from "effect"
import { type ClientConfig, Pool } from "pg"
import { Sockets } from "./sockets.ts"

/** How long a NOTIFY may take, in ms; one that does not get through costs latency, never an event. */
const NOTIFY_ANSWER_MS = 5_000

/** How long the connection is kept without use, in ms. */
const IDLE_MS = 60_000

/** How far apart NOTIFYs are, by the average and whoever sends them, in ms: each wakes every listening process. */
const GAP_MS = 5

/** How many may follow one another at once after a pause: what comes about as often as that waits for none of its own. */
export const NOTIFY_BURST = 4

/**
 * A NOTIFY that a crash takes back costs latency, never an event; it need not wait for the disk, nor hold an append up there.
 * Not prepared: a pooler may be in between, and one comes every few ms at most.
 */
const NOTIFY = "select pg_notify($1, $2) from set_config('synchronous_commit', 'off', true)"

/** Sends NOTIFYs on a connection of its own. */
export interface Notifier {
  /**
   * Tells the channel's listeners to look up to a position, soon, and never holds the caller up: at once after a pause;
   * after several NOTIFYs close together, all that come become one, with the highest position. One that fails is dropped.
   */
  readonly touch: (position: number) => void
  /** The listeners were told of a position, perhaps by another process: who looks up to there finds all that is below as well. */
  readonly heard: (position: number) => void
  /** Sends one payload, to another channel where one is named, and waits until it is sent; false where it could not be. */
  readonly send: (payload: string, channel?: string) => Effect.Effect<boolean>
}

export const notifier = (
  connection: ClientConfig,
  channel: string
): Effect.Effect<Notifier, never, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.sync(() => new Sender(connection, channel)),
    (sender) => sender.close
  )

class Sender implements Notifier {
  private readonly channel: string
  private readonly sockets = new Sockets()
  private readonly pool: Pool
  private next: number | undefined
  private underWay = false
  private told = 0
  /** When the next one is due, were they as far apart as they are by the average. */
  private nextDueAt = Number.NEGATIVE_INFINITY

  constructor(connection: ClientConfig, channel: string) {
    this.channel = channel
    this.pool = new Pool({
      ...this.sockets.tracked(connection),
      max: 1,
      idleTimeoutMillis: IDLE_MS,
      query_timeout: NOTIFY_ANSWER_MS
    })
    this.pool.on("error", () => undefined)
  }

  touch(position: number): void {
    this.next = Math.max(this.next ?? 0, position)
    if (!this.underWay) void this.drain()
  }

  heard(position: number): void {
    if (position > this.told) this.count()
    this.told = Math.max(this.told, position)
    if (this.next !== undefined && this.next <= position) this.next = undefined
  }

  send(payload: string, channel?: string): Effect.Effect<boolean> {
    return Effect.promise(() => this.deliver(payload, channel))
  }

  /** Says first what waits for its moment: whoever emits and ends at once is heard as soon as others. */
  readonly close: Effect.Effect<void> = Effect.suspend(() =>
    this.sockets.closeWith(async () => {
      await this.sendNext()
      await this.pool.end()
    })
  )

  private async drain(): Promise<void> {
    this.underWay = true
    while (this.next !== undefined && !this.pool.ending) {
      const early = this.nextDueAt - (NOTIFY_BURST - 1) * GAP_MS - performance.now()
      if (early > 0) await new Promise((resolve) => setTimeout(resolve, early))
      else await this.sendNext()
    }
    this.underWay = false
  }

  private async sendNext(): Promise<void> {
    const position = this.next
    if (position === undefined) return
    this.next = undefined
    this.told = Math.max(this.told, position)
    this.count()
    await this.deliver(String(position))
  }

  private count(): void {
    this.nextDueAt = Math.max(this.nextDueAt, performance.now()) + GAP_MS
  }

  private async deliver(payload: string, channel = this.channel): Promise<boolean> {
    try {
      await this.pool.query({ text: NOTIFY, values: [channel, payload] })
      return true
    } catch {
      return false
    }
  }
}
