import { Effect, type Scope } from "effect"
import { backoffMs } from "../base/backoff.ts"
import type { PostgresError } from "../postgres/error.ts"
import type { Postgres } from "../postgres/postgres.ts"
import { LogRewound } from "./error.ts"
import type { Event } from "./event.ts"
import type { FeedStatus, Sink } from "./feed.ts"
import { isSameOrigin, type LogIdentity, type Origin, type Unrecognised } from "./identity.ts"
import { Pages } from "./page.ts"
import { PageSize } from "./page-size.ts"
import type { Page, Pager } from "./pager.ts"
import { judgePosition } from "./resume.ts"
import { RECORD_SETTLED_MS, SettledRecord } from "./settled-record.ts"
import { Sinks } from "./sinks.ts"
import { settledHead, Tail } from "./tail.ts"
import type { Wake } from "./wake.ts"

/** How long the feed goes without asking the log who it is, in ms: it may be put back within the connections there are. */
export const RECOGNISE_MS = 30_000

/** The loop that reads the tail and hands it to the sinks. */
export class FeedReader {
  readonly pages: Pages
  tail: Tail | undefined
  /** Up to where everything was handed to the sinks. */
  handed = 0
  private readonly postgres: Postgres["Service"]
  private readonly wakes: Wake["Service"]
  private readonly identity: LogIdentity["Service"]
  private readonly recogniseMs: number
  private readonly record: SettledRecord
  private readonly pageSize = new PageSize()
  private readonly sinks = new Sinks()
  /** Counts attachments: a stretch that was read before one may lack what the new sink wants. */
  private attachments = 0
  /** What the tail was read of. */
  private origin: Origin
  private recognisedAt = performance.now()
  private wanted = false
  private urgent = false
  private stir: (urgent: boolean) => void = () => undefined
  private error: PostgresError | undefined
  private failures = 0
  private lookedAt = 0

  constructor(
    postgres: Postgres["Service"],
    wakes: Wake["Service"],
    identity: LogIdentity["Service"],
    recogniseMs = RECOGNISE_MS
  ) {
    this.postgres = postgres
    this.wakes = wakes
    this.identity = identity
    this.recogniseMs = recogniseMs
    this.pages = new Pages(postgres)
    this.record = new SettledRecord(postgres)
    this.origin = identity.current()
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

  /** The position up to which the log is settled now; on a server that turns out to be a standby, as written down. */
  readonly settled: Effect.Effect<number, PostgresError> = Effect.suspend(() => {
    const head = Effect.suspend(() => settledHead(this.pages, this.isStandby))
    const again = (error: PostgresError): Effect.Effect<number, PostgresError> => {
      this.identity.doubt()
      return error.reason._tag === "ReadOnly"
        ? Effect.andThen(Effect.ignore(this.identity.sure), head)
        : Effect.fail(error)
    }
    return Effect.andThen(Effect.ignore(this.identity.sure), Effect.catch(head, again))
  })

  readonly start: Effect.Effect<number, Unrecognised> = Effect.suspend(() => {
    if (this.tail !== undefined) return Effect.succeed(this.tail.cursor)
    return Effect.flatMap(this.sure(this.settled), (position) => {
      if (position === undefined) return this.start
      if (this.tail === undefined) {
        this.origin = this.identity.current()
        this.handed = position
        this.beginAt(position)
      }
      return this.start
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
    if (tail === undefined || this.sinks.size === 0) {
      // Whoever attaches wakes it again; kept, the wish would end every sleep at once.
      this.wanted = false
      return this.sleep(undefined, false)
    }
    const early = this.urgent ? 0 : this.lookedAt + this.sinks.patienceMs - performance.now()
    return early > 0 ? this.sleep(early, true) : this.look(tail)
  })

  private look(tail: Tail): Effect.Effect<void> {
    this.wanted = false
    this.urgent = false
    this.lookedAt = performance.now()
    const { attachments } = this
    const { cursor } = tail
    tail.narrow(this.sinks.types)
    return this.recognise(tail).pipe(
      Effect.andThen(
        Effect.suspend(() => (tail === this.tail ? this.sure(tail.next) : Effect.succeed(undefined)))
      ),
      Effect.flatMap((stretch) => {
        if (tail !== this.tail) {
          this.urgent = true
          return Effect.yieldNow
        }
        if (stretch === undefined || attachments !== this.attachments) {
          tail.cursor = cursor
          this.urgent = true
          return Effect.yieldNow
        }
        this.failures = 0
        this.error = undefined
        if (tail.cursor !== cursor) this.hand(stretch.events, tail.cursor)
        const note = this.isStandby ? Effect.void : this.record.writeIfDue(tail.cursor)
        return Effect.andThen(note, this.rest(stretch.again))
      }),
      Effect.catch((error) => this.afterError(tail, cursor, error)),
      Effect.catchDefect((defect) => this.afterDefect(tail, cursor, defect))
    )
  }

  /** Undefined where the server turned out to be another one than before: what was read may be of either. */
  sure<A>(query: Effect.Effect<A, PostgresError>): Effect.Effect<A | undefined, Unrecognised> {
    return Effect.suspend(() => {
      const before = this.identity.current()
      return Effect.flatMap(query, (answer) =>
        Effect.map(this.identity.sure, () => {
          const now = this.identity.current()
          return isSameOrigin(now, before) && now.standby === before.standby ? answer : undefined
        })
      )
    })
  }

  /** A page up to where the tail is; undefined where that may be of another log or epoch than the page. */
  page(pager: Pager, after: number): Effect.Effect<Page | undefined, Unrecognised> {
    return Effect.suspend(() => {
      const { tail } = this
      if (tail === undefined || after >= tail.cursor) return Effect.succeed(undefined)
      return Effect.flatMap(this.sure(pager.next(after, tail.cursor)), (page) => {
        if (tail !== this.tail) return Effect.succeed(undefined)
        const isOfTail = isSameOrigin(this.identity.current(), this.origin) && this.isStandby === tail.standby
        return page !== undefined && isOfTail
          ? Effect.succeed(page)
          : Effect.as(this.recognise(tail), undefined)
      })
    })
  }

  /**
   * In another epoch than before, the log may have ended before what was handed over, and another log may have come in its
   * place: then nobody goes on in silence.
   * On another server, what the tail had seen of locks and positions says nothing: it begins anew at its cursor.
   */
  private recognise(tail: Tail): Effect.Effect<void, Unrecognised> {
    if (performance.now() - this.recognisedAt > this.recogniseMs) this.identity.doubt()
    const doubtful = this.identity.isDoubtful()
    return Effect.flatMap(this.identity.sure, () => {
      if (doubtful) this.recognisedAt = performance.now()
      const current = this.identity.current()
      const { standby } = current
      const moved = !isSameOrigin(current, this.origin)
      if (!doubtful && !moved && standby === tail.standby) return Effect.void
      return Effect.map(this.rewound(tail.cursor, this.origin), (rewound) => {
        if (tail !== this.tail) return
        if (moved) this.record.forget()
        this.origin = current
        if (rewound !== undefined) this.giveUp(rewound)
        else if (moved || standby !== tail.standby) this.beginAt(tail.cursor)
      })
    })
  }

  private beginAt(cursor: number): void {
    this.tail = new Tail(this.pages, cursor, this.isStandby, this.pageSize)
  }

  /** Why a position cannot be gone on from, if it cannot. A standby that lags gets there. */
  rewound(position: number, origin: Origin): Effect.Effect<LogRewound | undefined, PostgresError> {
    const { id } = this.identity.current()
    if (origin.id !== id) {
      const detail = `it is of the log ${origin.id}, in whose place there is the log ${id} now`
      return Effect.succeed(new LogRewound({ position, head: 0, detail }))
    }
    return Effect.map(judgePosition(this.postgres, position, origin.epoch), (verdict) =>
      verdict instanceof LogRewound ? verdict : undefined
    )
  }

  private hand(events: ReadonlyArray<Event>, settled: number): void {
    this.sinks.hand(events, settled)
    this.handed = settled
  }

  /** Until it is worth looking again: a barrier is looked at in its own time, an idle tail when it is woken or polled. */
  private rest(again: "now" | "never" | number): Effect.Effect<void> {
    switch (again) {
      case "now":
        this.urgent = true
        return Effect.yieldNow
      case "never": {
        const pollMs = this.wakes.pollMs()
        const recordMs =
          this.record.isBehind(this.tail?.cursor ?? 0) && !this.isStandby ? RECORD_SETTLED_MS : pollMs
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

  /** After an error the server may be another one than before: the next look asks it first, and begins at the same cursor. */
  private afterError(tail: Tail, cursor: number, error: Unrecognised): Effect.Effect<void> {
    if (error._tag === "PostgresError") this.error = error
    const unfit = error._tag !== "PostgresError" && this.failures === 0
    const warning = unfit ? Effect.logWarning(error.message) : Effect.void
    return Effect.andThen(warning, this.tryAgain(tail, cursor))
  }

  /** A fault of ours or of a sink's, whose message may quote data; the other sinks are not left without a feed. */
  private afterDefect(tail: Tail, cursor: number, defect: unknown): Effect.Effect<void> {
    const error = defect instanceof Error ? defect.name : typeof defect
    return Effect.andThen(
      Effect.logError("The feed failed and tries again", { error }),
      this.tryAgain(tail, cursor)
    )
  }

  private tryAgain(tail: Tail, cursor: number): Effect.Effect<void> {
    this.urgent = true
    this.identity.doubt()
    if (tail === this.tail) this.beginAt(cursor)
    return Effect.sleep(backoffMs(this.failures++))
  }

  private giveUp(error: LogRewound): void {
    this.tail = undefined
    const { sinks } = this
    for (const sink of [...sinks]) {
      sinks.delete(sink)
      sink.rewound(error)
    }
  }
}
