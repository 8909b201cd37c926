import { Context, Effect, FiberSet, Layer, type Scope } from "effect"
import { PostgresError, RolledBack } from "../postgres/error.ts"
import { type Connection, Postgres } from "../postgres/postgres.ts"
import { SqlState } from "../postgres/sqlstate.ts"
import { AppendCall } from "./append-call.ts"
import type { Outcome, PlacedPart } from "./batch.ts"
import { Delivery, unknown, type Waiting } from "./delivery.ts"
import { type LogError, logError, Unavailable } from "./error.ts"
import { LogIdentity } from "./identity.ts"
import { HeldStreams } from "./held-streams.ts"
import { AppendQueue } from "./queue.ts"
import type { Request } from "./request.ts"

/** How long an emit is tried, in ms, unless configured. */
export const DEFAULT_EMIT_DEADLINE_MS = 30_000

/** How many batches are under way at once: one is executed while the other waits for the disk. */
export const DEFAULT_LANES = 2

/** From how many waiting events on two batches are better than one. */
const WORTH_SHARING = 16

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

/** Gathers appends into batches while earlier ones are under way, and sees each through to an outcome. */
export class Appender extends Context.Service<
  Appender,
  {
    /** Appends one request; a failed try is made again with the same ids until the deadline. Waits where the queue is full. */
    readonly append: (request: Request) => Effect.Effect<ReadonlyArray<PlacedPart>, LogError>
    /** Appends one request in a caller's own transaction, once; waits for a stream that is held as long as an emit is tried. */
    readonly appendWithin: (
      connection: Connection,
      request: Request
    ) => Effect.Effect<ReadonlyArray<PlacedPart>, LogError | PostgresError>
    readonly status: () => AppenderStatus
    /** Calls back with what was appended, and its highest position, before its caller hears of it. */
    readonly onAppended: (listener: AppendedListener) => void
    /** Something was appended beside this, in a caller's own transaction that is committed now. */
    readonly announce: AppendedListener
  }
>()("tidemark/log/Appender") {
  static readonly layer = (
    config: AppenderConfig = {}
  ): Layer.Layer<Appender, never, Postgres | LogIdentity> =>
    Layer.effect(
      Appender,
      Effect.gen(function* () {
        const call = new AppendCall(yield* Postgres, config.answerTimeoutMs)
        const lanes = new Lanes(call, (yield* LogIdentity).ready, config)
        const patienceMs = config.deadlineMs ?? DEFAULT_EMIT_DEADLINE_MS
        yield* lanes.start
        return Appender.of({
          append: (request) => lanes.append(request),
          appendWithin: (connection, request) => appendWithin(call, connection, request, patienceMs),
          status: () => lanes.status(),
          onAppended: (listener) => lanes.listeners.push(listener),
          announce: (position, requests) => lanes.announce(position, requests)
        })
      })
    )
}

const isPlaced = (outcome: Outcome): outcome is ReadonlyArray<PlacedPart> => Array.isArray(outcome)

const appendWithin = (
  call: AppendCall,
  connection: Connection,
  request: Request,
  patienceMs: number
): Effect.Effect<ReadonlyArray<PlacedPart>, LogError | PostgresError> =>
  call.appendWithin(connection, request, patienceMs).pipe(
    Effect.mapError((error) => refusalWithin(call, request, error)),
    Effect.flatMap((outcome): Effect.Effect<ReadonlyArray<PlacedPart>, LogError> =>
      isPlaced(outcome) ? Effect.succeed(outcome) : Effect.fail(logError(outcome))
    )
  )

/** What it means for a caller's transaction that its append was refused. */
const refusalWithin = (
  call: AppendCall,
  request: Request,
  error: PostgresError
): LogError | PostgresError => {
  switch (error.reason._tag) {
    case "UniqueViolation":
    case "InvalidData":
      return logError(call.refusal(request, error))
    case "Rejected":
      if (error.reason.sqlState !== SqlState.inFailedSqlTransaction) return error
      return new PostgresError({ reason: new RolledBack({ detail: error.reason.detail }) })
    default:
      return error
  }
}

class Lanes {
  readonly listeners: Array<AppendedListener> = []
  private readonly queue = new AppendQueue<Waiting>()
  private readonly blocked: Array<() => void> = []
  /** Taken from the queue, and not settled yet. */
  private readonly sent = new Set<Waiting>()
  private readonly delivery: Delivery
  private readonly held: HeldStreams
  private readonly lanes: number
  private readonly deadlineMs: number
  private run: (effect: Effect.Effect<void>) => unknown = () => undefined
  private whenIdle: () => void = () => undefined
  private underWay = 0
  private scheduled = false
  private state: "open" | "closing" | "closed" = "open"

  constructor(call: AppendCall, ready: Effect.Effect<void>, config: AppenderConfig) {
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
      const enter = (): void => {
        this.queue.push(waiting)
        this.schedule()
      }
      // Whoever came before and still waits for room goes first: it may be the same stream.
      if (this.blocked.length === 0 && !this.queue.isFull) enter()
      else this.blocked.push(enter)
      return Effect.sync(() => {
        const at = this.blocked.indexOf(enter)
        if (at !== -1) this.blocked.splice(at, 1)
        else this.queue.remove(waiting)
        this.schedule()
      })
    })
  }

  status(): AppenderStatus {
    return {
      waiting: this.queue.events,
      blocked: this.blocked.length,
      underWay: this.underWay,
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

  /** Free lanes share what waits, so that the callers of one batch get ready again while the server works on the other. */
  private get share(): number {
    const { events } = this.queue
    return events < WORTH_SHARING ? events : Math.ceil(events / (this.lanes - this.underWay))
  }

  private pump(): void {
    while (this.underWay < this.lanes) {
      const batch = this.queue.take(this.share)
      if (batch.length === 0) break
      for (const waiting of batch) this.sent.add(waiting)
      this.underWay += 1
      this.run(
        Effect.ensuring(
          this.delivery.deliver(batch),
          Effect.sync(() => this.laneIsFree())
        )
      )
    }
    while (this.blocked.length > 0 && !this.queue.isFull) this.blocked.shift()!()
  }

  private laneIsFree(): void {
    this.underWay -= 1
    this.schedule()
    this.tellIfIdle()
  }

  private tellIfIdle(): void {
    if (this.queue.events + this.blocked.length + this.underWay + this.held.size === 0) this.whenIdle()
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
      for (const enter of this.blocked.splice(0)) enter()
      const closed = new Unavailable({ detail: "this engine was closed before it could send" })
      for (const waiting of this.queue.drain()) waiting.settle(closed)
      yield* FiberSet.clear(fibers)
      for (const waiting of this.sent)
        waiting.settle(unknown(waiting, "this engine was closed before the answer came"))
    })
  }
}
