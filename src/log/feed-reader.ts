import { Effect, type Scope } from "effect"
import { backoffMs } from "../base/backoff.ts"
import type { PostgresError } from "../postgres/error.ts"
import type { Postgres } from "../postgres/postgres.ts"
import { statement } from "../postgres/sql-file.ts"
import { LogRewound } from "./error.ts"
import type { Event } from "./event.ts"
import type { FeedStatus, Sink } from "./feed.ts"
import type { LogIdentity } from "./identity.ts"
import { Pages } from "./page.ts"
import { checkPosition } from "./resume.ts"
import { settledHead, Tail } from "./tail.ts"
import type { Wake } from "./wake.ts"

/** How often at most the settled position is written down, in ms. */
const RECORD_SETTLED_MS = 1_000

/** The loop that reads the tail and hands it to the sinks. */
export class FeedReader {
  readonly pages: Pages
  tail: Tail | undefined
  private readonly postgres: Postgres["Service"]
  private readonly wakes: Wake["Service"]
  private readonly identity: LogIdentity["Service"]
  private readonly recordSettled
  private readonly sinks = new Set<Sink>()
  /** Counts attachments: a stretch that was read before one may lack what the new sink wants. */
  private attachments = 0
  private epoch = 0
  private wanted = false
  private urgent = false
  private stir: (urgent: boolean) => void = () => undefined
  private error: PostgresError | undefined
  private failures = 0
  private lookedAt = 0
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

  /** Looks soon, unless what woke it was read already; `urgent`: at once, however patient the sinks are. */
  wake(position: number | undefined, urgent = false): void {
    if (position !== undefined && this.tail !== undefined && position <= this.tail.cursor) return
    this.wanted = true
    this.urgent ||= urgent
    this.stir(urgent)
  }

  attach(sink: Sink): () => void {
    this.sinks.add(sink)
    this.attachments += 1
    this.wake(undefined, true)
    return () => this.detach(sink)
  }

  readonly start: Effect.Effect<number, PostgresError> = Effect.suspend(() => {
    if (this.tail !== undefined) return Effect.succeed(this.tail.cursor)
    return Effect.map(settledHead(this.pages, this.isStandby), (position) => {
      if (this.tail === undefined) {
        this.tail = new Tail(this.pages, position, this.isStandby)
        this.epoch = this.identity.current().epoch
      }
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
    Effect.asVoid(Effect.forkScoped(Effect.forever(this.step)))
  )

  private detach(sink: Sink): void {
    this.sinks.delete(sink)
    if (this.sinks.size === 0) this.tail = undefined
  }

  private readonly step: Effect.Effect<void> = Effect.suspend(() => {
    const { tail } = this
    if (tail === undefined || this.sinks.size === 0) return this.sleep(undefined, false)
    const early = this.urgent ? 0 : this.lookedAt + this.patienceMs - performance.now()
    return early > 0 ? this.sleep(early, true) : this.look(tail)
  })

  /** The least patient sink decides. */
  private get patienceMs(): number {
    let least = Number.POSITIVE_INFINITY
    for (const sink of this.sinks) least = Math.min(least, sink.patienceMs ?? 0)
    return least
  }

  /** The types that anybody wants; undefined where somebody wants all. */
  private get wantedTypes(): ReadonlyArray<string> | undefined {
    const types = new Set<string>()
    for (const sink of this.sinks) {
      if (sink.types === undefined) return undefined
      for (const type of sink.types) types.add(type)
    }
    return [...types]
  }

  private look(tail: Tail): Effect.Effect<void> {
    this.wanted = false
    this.urgent = false
    this.lookedAt = performance.now()
    const { attachments } = this
    const { cursor } = tail
    tail.narrow(this.wantedTypes)
    return Effect.andThen(this.recognise(tail), tail.next).pipe(
      Effect.flatMap((stretch) => {
        if (tail !== this.tail) return Effect.void
        if (attachments !== this.attachments) {
          tail.cursor = cursor
          return Effect.yieldNow
        }
        this.failures = 0
        this.error = undefined
        if (stretch.events.length > 0 || stretch.again === "now") this.hand(stretch.events, tail.cursor)
        const note = this.recordIfDue(tail.cursor, stretch.again === "never")
        return Effect.andThen(note, this.rest(stretch.again))
      }),
      Effect.catch((error) => this.afterError(tail, error))
    )
  }

  /** In another epoch than before, the log may have ended before what was handed over: then nobody goes on in silence. */
  private recognise(tail: Tail): Effect.Effect<void, PostgresError> {
    const { epoch } = this.identity.current()
    if (epoch === this.epoch) return Effect.void
    return Effect.map(this.rewound(tail.cursor, this.epoch), (rewound) => {
      if (rewound !== undefined) this.giveUp(rewound)
      this.epoch = epoch
      tail.forgetBarrier()
    })
  }

  /** Why a position of an epoch cannot be gone on from, if it cannot. */
  rewound(position: number, epoch: number): Effect.Effect<LogRewound | undefined, PostgresError> {
    return checkPosition(this.postgres, position, epoch).pipe(
      Effect.as(undefined),
      Effect.catchTag("LogError", ({ reason }) =>
        reason instanceof LogRewound ? Effect.succeed(reason) : Effect.die(reason)
      )
    )
  }

  private hand(events: ReadonlyArray<Event>, settled: number): void {
    for (const sink of this.sinks) sink.offer(events, settled)
  }

  /** Until it is worth looking again: a barrier is looked at in its own time, an idle tail when it is woken or polled. */
  private rest(again: "now" | "never" | number): Effect.Effect<void> {
    switch (again) {
      case "now":
        this.urgent = true
        return Effect.yieldNow
      case "never": {
        const pollMs = this.wakes.pollMs()
        const recordMs = this.recorded < (this.tail?.cursor ?? 0) ? RECORD_SETTLED_MS : pollMs
        return this.sleep(Math.min(recordMs, pollMs), false)
      }
      default:
        this.urgent = true
        return Effect.sleep(again)
    }
  }

  /** Until it is woken, or the time is over; with `urgentOnly`, until it is woken by somebody who waits. */
  private sleep(ms: number | undefined, urgentOnly: boolean): Effect.Effect<void> {
    return Effect.callback<void>((resume) => {
      const wakes = urgentOnly ? this.urgent : this.wanted
      if (wakes) {
        resume(Effect.void)
        return
      }
      const end = (): void => {
        clearTimeout(timer)
        this.stir = () => undefined
        resume(Effect.void)
      }
      const timer = ms === undefined ? undefined : setTimeout(end, ms)
      this.stir = (urgent) => {
        if (urgent || !urgentOnly) end()
      }
      return Effect.sync(() => clearTimeout(timer))
    })
  }

  /** After a lost connection the server may be another one than before, so the log says again who it is. */
  private afterError(tail: Tail, error: PostgresError): Effect.Effect<void> {
    this.error = error
    this.urgent = true
    tail.forgetBarrier()
    const recognise = Effect.andThen(
      this.identity.refresh,
      checkPosition(this.postgres, tail.cursor, this.epoch)
    )
    return Effect.andThen(
      Effect.sleep(backoffMs(this.failures++)),
      Effect.catch(recognise, (failure) =>
        Effect.sync(() => {
          if (failure._tag === "LogError" && failure.reason instanceof LogRewound) this.giveUp(failure.reason)
        })
      )
    )
  }

  private giveUp(error: LogRewound): void {
    this.tail = undefined
    const { sinks } = this
    for (const sink of [...sinks]) {
      sinks.delete(sink)
      sink.rewound(error)
    }
  }

  /** Now and then while busy, and once when idle. A role that may only read leaves it to others. */
  private recordIfDue(settled: number, idle: boolean): Effect.Effect<void> {
    const now = performance.now()
    if (settled <= this.recorded || this.isStandby) return Effect.void
    if (now - this.recordedAt < RECORD_SETTLED_MS && !(idle && this.recordedAt === 0)) return Effect.void
    this.recordedAt = now
    this.recorded = settled
    const { text, name } = this.recordSettled
    return Effect.asVoid(Effect.forkChild(Effect.ignore(this.postgres.query(text, [settled], { name }))))
  }
}
