import { Effect, FiberSet, type Scope } from "effect"
import type { PostgresError } from "../postgres/error.ts"
import type { AppendCall } from "./append-call.ts"
import { isPlaced, type Outcome, type PlacedPart } from "./batch.ts"
import { Delivery, unknown, type Waiting } from "./delivery.ts"
import { type LogError, logError, Unavailable } from "./error.ts"
import { HeldStreams } from "./held-streams.ts"
import { AppendQueue } from "./queue.ts"
import type { Request } from "./request.ts"

/** How long an emit is tried, in ms, unless configured. */
export const DEFAULT_EMIT_DEADLINE_MS = 30_000

/** How many batches are under way at once: one is executed while the other waits for the disk. */
export const DEFAULT_LANES = 2

/** From how many waiting events on a further batch at once is better than a larger one after this: each has a price of its own. */
const WORTH_A_LANE = 64

/** How long a batch is under way before the others no longer wait for it, in ms: it may wait for a stream that somebody holds. */
const SLOW_BATCH_MS = 10

/** How long a closing engine goes on with what was emitted before, in ms. */
const CLOSE_PATIENCE_MS = 10_000

export interface AppenderConfig {
  readonly lanes?: number
  /** In ms. */
  readonly deadlineMs?: number
  /** How long an append may go without an answer before its connection is given up, in ms. */
  readonly answerTimeoutMs?: number
}

export interface AppenderStatus {
  /** Events that wait for a batch. */
  readonly waiting: number
  /** Callers that wait for room in the queue. */
  readonly blocked: number
  /** Batches under way. */
  readonly underWay: number
  /** Streams that somebody's transaction holds, and that are waited for apart. */
  readonly held: ReadonlyArray<string>
}

export type AppendedListener = (position: number, requests: ReadonlyArray<Request>) => void

/** A batch under way. */
interface Flight {
  /** By performance.now. */
  readonly since: number
}

/** Gathers appends into batches while earlier ones are under way, and sees each through to an outcome. */
export class Lanes {
  readonly listeners: Array<AppendedListener> = []
  private readonly queue = new AppendQueue<Waiting>()
  private blocked: Array<Waiting> = []
  /** Taken from the queue, and not settled yet. */
  private readonly sent = new Set<Waiting>()
  private readonly delivery: Delivery
  private readonly held: HeldStreams
  private readonly lanes: number
  private readonly deadlineMs: number
  private run: (effect: Effect.Effect<void>) => unknown = () => undefined
  private whenIdle: () => void = () => undefined
  private readonly underWay = new Set<Flight>()
  private slowness: NodeJS.Timeout | undefined
  private expiry: NodeJS.Timeout | undefined
  private scheduled = false
  private state: "open" | "closing" | "closed" = "open"

  constructor(call: AppendCall, ready: Effect.Effect<void, PostgresError>, config: AppenderConfig) {
    this.lanes = config.lanes ?? DEFAULT_LANES
    this.deadlineMs = config.deadlineMs ?? DEFAULT_EMIT_DEADLINE_MS
    this.delivery = new Delivery({
      call,
      ready,
      settle: (waiting, outcome) => this.settle(waiting, outcome),
      waitApart: (waiting) => this.waitApart(waiting),
      isPending: (waiting) => this.sent.has(waiting),
      closing: () => this.state === "closed"
    })
    this.held = new HeldStreams({
      delivery: this.delivery,
      settle: (waiting, outcome) => this.settle(waiting, outcome),
      isPending: (waiting) => this.sent.has(waiting)
    })
  }

  /** For the time of the scope; its end waits, within bounds, for what was emitted before. */
  readonly start: Effect.Effect<void, never, Scope.Scope> = Effect.gen({ self: this }, function* () {
    const fibers = yield* FiberSet.make<void>()
    this.run = yield* FiberSet.runtime(fibers)<never>()
    yield* Effect.addFinalizer(() => this.close(fibers))
  })

  append(request: Request): Effect.Effect<ReadonlyArray<PlacedPart>, LogError> {
    return Effect.callback((resume) => {
      if (this.state !== "open") {
        resume(Effect.fail(logError(new Unavailable({ detail: "this engine is closed" }))))
        return
      }
      const waiting: Waiting = {
        request,
        deadline: Date.now() + this.deadlineMs,
        uncertain: false,
        settle: (outcome) =>
          resume(isPlaced(outcome) ? Effect.succeed(outcome) : Effect.fail(logError(outcome)))
      }
      // Whoever came before and still waits for room goes first: it may be the same stream.
      if (this.blocked.length === 0 && !this.queue.isFull) this.enter(waiting)
      else this.blocked.push(waiting)
      this.watchDeadlines(waiting)
      return Effect.sync(() => {
        this.forget((one) => one === waiting)
        this.schedule()
        this.tellIfIdle()
      })
    })
  }

  status(): AppenderStatus {
    return {
      waiting: this.queue.events,
      blocked: this.blocked.length,
      underWay: this.underWay.size,
      held: this.held.names
    }
  }

  /** The callers of this turn of the event loop share a batch; an idle engine sends at its end. */
  private schedule(): void {
    if (this.scheduled) return
    this.scheduled = true
    setImmediate(() => {
      this.scheduled = false
      this.pump()
    })
  }

  private pump(): void {
    while (this.underWay.size < this.lanes && this.isWorthALane()) {
      const batch = this.queue.take(this.share)
      if (batch.length === 0) break
      this.send(batch)
    }
    while (this.blocked.length > 0 && !this.queue.isFull) this.enter(this.blocked.shift()!)
    this.watchForSlowness()
  }

  private isWorthALane(): boolean {
    return this.underWay.size === 0 || this.queue.events >= WORTH_A_LANE || this.slowInMs() <= 0
  }

  /** Free lanes share what is enough for all of them. */
  private get share(): number {
    const { events } = this.queue
    const free = this.lanes - this.underWay.size
    return events < free * WORTH_A_LANE ? events : Math.ceil(events / free)
  }

  private send(batch: ReadonlyArray<Waiting>): void {
    const flight: Flight = { since: performance.now() }
    for (const waiting of batch) this.sent.add(waiting)
    this.underWay.add(flight)
    const landed = Effect.sync(() => {
      this.underWay.delete(flight)
      this.schedule()
      this.tellIfIdle()
    })
    this.run(Effect.ensuring(this.delivery.deliver(batch), landed))
  }

  /** In how many ms the longest batch under way counts as slow. */
  private slowInMs(): number {
    let since = Number.POSITIVE_INFINITY
    for (const flight of this.underWay) since = Math.min(since, flight.since)
    return since + SLOW_BATCH_MS - performance.now()
  }

  /** Looks again, where something waits for a batch that may become slow. */
  private watchForSlowness(): void {
    clearTimeout(this.slowness)
    if (this.queue.events === 0 || this.underWay.size === 0 || this.underWay.size === this.lanes) return
    const ms = this.slowInMs()
    if (ms > 0) this.slowness = setTimeout(() => this.schedule(), ms)
  }

  private enter(waiting: Waiting): void {
    this.queue.push(waiting)
    this.schedule()
  }

  /** One timer for all that wait for room or for a batch: deadlines come in the order in which the callers came. */
  private watchDeadlines(next: Waiting): void {
    this.expiry ??= setTimeout(() => this.expire(), next.deadline - Date.now()).unref()
  }

  private expire(): void {
    this.expiry = undefined
    const now = Date.now()
    const detail =
      "the server did not keep up with what was emitted before, and there was no time left to send it"
    for (const waiting of this.forget((one) => one.deadline <= now)) {
      waiting.settle(new Unavailable({ detail }))
    }
    const next = this.queue.first ?? this.blocked[0]
    if (next !== undefined) this.watchDeadlines(next)
    this.schedule()
    this.tellIfIdle()
  }

  /** Takes out what waits for room or for a batch, and was never sent. */
  private forget(which: (waiting: Waiting) => boolean): ReadonlyArray<Waiting> {
    const blocked = this.blocked.filter(which)
    if (blocked.length > 0) this.blocked = this.blocked.filter((one) => !which(one))
    return [...this.queue.remove(which), ...blocked]
  }

  private tellIfIdle(): void {
    if (this.queue.events + this.blocked.length + this.underWay.size + this.held.size === 0) this.whenIdle()
  }

  private settle(waiting: Waiting, outcome: Outcome): void {
    if (!this.sent.delete(waiting)) return
    this.queue.release([waiting])
    if (isPlaced(outcome)) this.announce(outcome.at(-1)!.events.at(-1)!.position, [waiting.request])
    waiting.settle(outcome)
  }

  announce(position: number, requests: ReadonlyArray<Request>): void {
    for (const listener of this.listeners) {
      try {
        listener(position, requests)
      } catch (thrown) {
        // What was appended is appended: its caller is told so, whatever becomes of who listens.
        this.run(Effect.logError("A listener for what was appended failed", thrown))
      }
    }
  }

  private waitApart(batch: ReadonlyArray<Waiting>): void {
    const done = Effect.sync(() => {
      this.schedule()
      this.tellIfIdle()
    })
    this.run(Effect.ensuring(this.held.wait(batch), done))
  }

  private close(fibers: FiberSet.FiberSet<void>): Effect.Effect<void> {
    const idle = Effect.callback<void>((resume) => {
      this.whenIdle = () => resume(Effect.void)
      this.tellIfIdle()
    })
    return Effect.gen({ self: this }, function* () {
      this.state = "closing"
      yield* Effect.timeoutOption(idle, CLOSE_PATIENCE_MS)
      this.state = "closed"
      clearTimeout(this.slowness)
      clearTimeout(this.expiry)
      const closed = new Unavailable({ detail: "this engine was closed before it could send" })
      for (const waiting of this.forget(() => true)) waiting.settle(closed)
      yield* FiberSet.clear(fibers)
      for (const waiting of this.sent)
        waiting.settle(unknown(waiting, "this engine was closed before the answer came"))
    })
  }
}
