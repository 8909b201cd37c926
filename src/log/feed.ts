import { Context, Effect, Layer, type Scope } from "effect"
import { backoffMs } from "../base/backoff.ts"
import type { PostgresError } from "../postgres/error.ts"
import { Postgres } from "../postgres/postgres.ts"
import { statement } from "../postgres/sql-file.ts"
import { Appender } from "./appender.ts"
import type { Event } from "./event.ts"
import { LogIdentity } from "./identity.ts"
import { type Holder, Pages } from "./page.ts"
import { settledHead, Tail } from "./tail.ts"
import { Wake } from "./wake.ts"

/** How often at most the settled position is written down, in ms. */
const RECORD_SETTLED_MS = 1_000

/** Takes what the feed reads. */
export interface Sink {
  /** The next stretch of the log, all of it settled, and how far the log is settled now. */
  readonly offer: (events: ReadonlyArray<Event>, settled: number) => void
}

export interface FeedStatus {
  /** Everything up to here was handed to the local subscriptions. */
  readonly position: number
  /** Since when, in ms since the epoch, an append under way keeps the tail where it is, and who it is. */
  readonly holdup: { readonly since: number; readonly holders: ReadonlyArray<Holder> } | undefined
  /** What the last look failed with, if it did. */
  readonly error: PostgresError | undefined
}

/**
 * The one live tail of the log in this process, from which all its subscriptions are served. It reads only while
 * somebody is attached.
 */
export class Feed extends Context.Service<
  Feed,
  {
    /** Starts the feed where nobody is attached, and resolves when its position is known. */
    readonly start: Effect.Effect<number, PostgresError>
    /** Where the feed is; undefined while nobody is attached. */
    readonly position: () => number | undefined
    /** Attaches a sink to what comes after the feed's position; returns how to detach it. */
    readonly attach: (sink: Sink) => () => void
    /** There is something to read up to a position: looks now, unless that was read already. */
    readonly wake: (position: number) => void
    /** Reads the log beside the feed, for those that are behind. */
    readonly pages: Pages
    /** The position up to which the log is settled now; waits for appends under way, up to a second. */
    readonly settled: Effect.Effect<number, PostgresError>
    readonly status: () => FeedStatus | undefined
  }
>()("tidemark/log/Feed") {
  static readonly layer: Layer.Layer<Feed, never, Postgres | Appender | Wake | LogIdentity> = Layer.effect(
    Feed,
    Effect.gen(function* () {
      const postgres = yield* Postgres
      const reader = new Reader(postgres, yield* Wake, yield* LogIdentity)
      const appender = yield* Appender
      const wake = yield* Wake
      appender.onAppended((position) => {
        wake.touch(position)
        reader.wake(position)
      })
      wake.onWake((position) => reader.wake(position))
      yield* reader.run
      return Feed.of({
        start: reader.start,
        position: () => reader.tail?.cursor,
        attach: (sink) => reader.attach(sink),
        wake: (position) => reader.wake(position),
        pages: reader.pages,
        settled: Effect.suspend(() => settledHead(reader.pages, reader.isStandby)),
        status: () => reader.status()
      })
    })
  )
}

class Reader {
  readonly pages: Pages
  tail: Tail | undefined
  private readonly postgres: Postgres["Service"]
  private readonly wakes: Wake["Service"]
  private readonly identity: LogIdentity["Service"]
  private readonly recordSettled
  private readonly sinks = new Set<Sink>()
  private wanted = false
  private stir: () => void = () => undefined
  private error: PostgresError | undefined
  private failures = 0
  private recordedAt = 0
  private recorded = 0

  constructor(postgres: Postgres["Service"], wakes: Wake["Service"], identity: LogIdentity["Service"]) {
    this.postgres = postgres
    this.wakes = wakes
    this.identity = identity
    this.pages = new Pages(postgres)
    this.recordSettled = statement("record_settled", postgres.schema)
  }

  get isStandby(): boolean {
    return this.identity.current().standby
  }

  /** Looks now, unless what woke it was read already. */
  wake(position: number | undefined): void {
    if (position !== undefined && this.tail !== undefined && position <= this.tail.cursor) return
    this.wanted = true
    this.stir()
  }

  attach(sink: Sink): () => void {
    this.sinks.add(sink)
    this.wake(undefined)
    return () => {
      this.sinks.delete(sink)
      if (this.sinks.size === 0) this.tail = undefined
    }
  }

  readonly start: Effect.Effect<number, PostgresError> = Effect.suspend(() => {
    if (this.tail !== undefined) return Effect.succeed(this.tail.cursor)
    return Effect.map(settledHead(this.pages, this.isStandby), (position) => {
      this.tail ??= new Tail(this.pages, position, this.isStandby)
      return this.tail.cursor
    })
  })

  status(): FeedStatus | undefined {
    return this.tail === undefined
      ? undefined
      : { position: this.tail.cursor, holdup: this.tail.holdup, error: this.error }
  }

  /** The loop of the feed, for the time of the scope. */
  readonly run: Effect.Effect<void, never, Scope.Scope> = Effect.suspend(() =>
    Effect.asVoid(Effect.forkScoped(Effect.forever(this.look)))
  )

  private readonly look: Effect.Effect<void> = Effect.suspend(() => {
    const { tail } = this
    if (tail === undefined || this.sinks.size === 0) return this.sleep(undefined)
    this.wanted = false
    return tail.next.pipe(
      Effect.flatMap((stretch) => {
        if (tail !== this.tail) return Effect.void
        this.failures = 0
        this.error = undefined
        if (stretch.events.length > 0 || stretch.again === "now") this.hand(stretch.events, tail.cursor)
        const note = this.recordIfDue(tail.cursor, stretch.again === "never")
        return Effect.andThen(note, stretch.again === "now" ? Effect.yieldNow : this.rest(stretch.again))
      }),
      Effect.catch((error) => this.afterError(tail, error))
    )
  })

  private hand(events: ReadonlyArray<Event>, settled: number): void {
    for (const sink of this.sinks) sink.offer(events, settled)
  }

  /** Until it is worth looking again: a barrier is looked at in its own time, an idle tail when it is woken or polled. */
  private rest(again: "never" | number): Effect.Effect<void> {
    if (again !== "never") return Effect.sleep(again)
    return this.sleep(this.recorded < (this.tail?.cursor ?? 0) ? RECORD_SETTLED_MS : this.wakes.pollMs())
  }

  private sleep(ms: number | undefined): Effect.Effect<void> {
    return Effect.callback<void>((resume) => {
      if (this.wanted) {
        this.wanted = false
        resume(Effect.void)
        return
      }
      const timer = ms === undefined ? undefined : setTimeout(() => this.stir(), ms)
      this.stir = () => {
        clearTimeout(timer)
        this.stir = () => undefined
        resume(Effect.void)
      }
      return Effect.sync(() => clearTimeout(timer))
    })
  }

  /** After a lost connection the server may be another one than before, so the log says again who it is. */
  private afterError(tail: Tail, error: PostgresError): Effect.Effect<void> {
    this.error = error
    tail.forgetBarrier()
    return Effect.andThen(Effect.sleep(backoffMs(this.failures++)), Effect.ignore(this.identity.refresh))
  }

  /** Now and then while busy, and once when idle. A role that may only read leaves it to others. */
  private recordIfDue(settled: number, idle: boolean): Effect.Effect<void> {
    const now = performance.now()
    if (settled <= this.recorded || this.isStandby) return Effect.void
    if (now - this.recordedAt < RECORD_SETTLED_MS && !(idle && this.recordedAt === 0)) return Effect.void
    this.recordedAt = now
    this.recorded = settled
    const { text, name } = this.recordSettled
    return Effect.ignore(this.postgres.query(text, [settled], { name }))
  }
}
