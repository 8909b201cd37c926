import { setImmediate as aTurn } from "node:timers/promises"
import { Array as Arr, Cause, Effect, Fiber, Pull, Result, Scope, Stream } from "effect"
import { backoffMs } from "../../base/backoff.ts"
import { InvalidArgument, type LogError, logError, UpcastFailed } from "../error.ts"
import type { Event } from "../event.ts"
import type { EventTypes } from "../event-type.ts"
import type { Feed } from "../feed.ts"
import { isSameOrigin, type LogIdentity, type Origin, type Unrecognised } from "../identity.ts"
import { type Page, Pager } from "../pager.ts"
import { upToDate } from "../recorded.ts"
import type { Resume } from "../resume.ts"
import { isInEarlierPartition } from "../retention.ts"
import type { Criteria } from "./criteria.ts"
import { criteriaOf, type ReplayOptions } from "./replay-options.ts"
import { whenSettled } from "./settled-bound.ts"

/** How often a page is asked for again while the server cannot be reached: for some 10 s, with the pauses in between. */
const PAGE_TRIES = 12

export type ReplayError = LogError | Unrecognised

export interface ReplayParts {
  readonly feed: Feed["Service"]
  readonly identity: LogIdentity["Service"]
  readonly resume: Resume
  readonly types: EventTypes
}

/** Everything of a stretch that was settled when it began, in order of position. */
export const replay = (parts: ReplayParts, options: ReplayOptions = {}): Stream.Stream<Event, ReplayError> =>
  Stream.unwrap(
    Effect.gen(function* () {
      const criteria = criteriaOf(options)
      if (Result.isFailure(criteria)) return yield* logError(criteria.failure)
      const stretch = yield* stretchOf(parts, options)
      if (stretch.after >= stretch.upTo) return Stream.empty
      const reader = new Reader(parts, criteria.success, stretch, yield* Effect.scope)
      return Stream.fromPull(Effect.succeed(reader.next))
    })
  )

interface Stretch {
  readonly after: number
  readonly upTo: number
  /** Up to here, telemetry was gone when it began at the start. */
  readonly gone: number
  /** Where these positions mean what they say. */
  readonly origin: Origin
}

const stretchOf = Effect.fnUntraced(function* (
  { feed, identity, resume }: ReplayParts,
  { from = "start", to, ...filter }: ReplayOptions
): Effect.fn.Return<Stretch, ReplayError> {
  const after = yield* resume.position(from, filter)
  const gone = (upTo: number) =>
    after === 0 && isInEarlierPartition(after, upTo) ? resume.dropped(filter) : Effect.succeed(0)
  if (to === undefined) {
    const upTo = yield* feed.settled
    return { after, upTo, gone: yield* gone(upTo), origin: feed.origin() }
  }
  const upTo = yield* resume.position(to)
  if (after > upTo) {
    const problem = `from is position ${after} and to is position ${upTo}, so that nothing lies in between: give an earlier from`
    return yield* logError(new InvalidArgument({ problem }))
  }
  // Of a standby taken for the primary, the locks would say that everything is settled.
  yield* identity.sure
  yield* whenSettled(feed.pages, upTo, identity.current().standby)
  return { after, upTo, gone: yield* gone(upTo), origin: feed.origin() }
})

/** The server may answer in a while. */
const isPassing = (error: ReplayError): boolean => {
  if (error._tag !== "PostgresError") return false
  switch (error.reason._tag) {
    case "ConnectionLost":
    case "StatementTimeout":
    case "Unreachable":
    case "Busy":
    case "ReplicaBehind":
      return true
    default:
      return false
  }
}

/** Reads page after page; the next one is on its way while one is consumed. */
class Reader {
  private readonly parts: ReplayParts
  private readonly criteria: Criteria
  private readonly gone: number
  private readonly pager: Pager
  private readonly upTo: number
  private readonly scope: Scope.Scope
  private origin: Origin
  private after: number
  private ahead: Fiber.Fiber<Page, ReplayError> | undefined
  /** What ends the replay behind what was read before it. */
  private failure: UpcastFailed | undefined

  /** What is read ahead ends with the scope. */
  constructor(
    parts: ReplayParts,
    criteria: Criteria,
    { after, upTo, origin, gone }: Stretch,
    scope: Scope.Scope
  ) {
    this.parts = parts
    this.gone = gone
    this.criteria = criteria
    this.pager = new Pager(parts.feed.pages, criteria)
    this.after = after
    this.upTo = upTo
    this.origin = origin
    this.scope = scope
  }

  /** The next page that has events. */
  readonly next: Pull.Pull<Arr.NonEmptyReadonlyArray<Event>, ReplayError> = Effect.gen(
    { self: this },
    function* () {
      while (this.failure === undefined && this.after < this.upTo) {
        const page = yield* this.ahead === undefined ? this.read(this.after) : Fiber.join(this.ahead)
        this.after = page.last
        this.ahead = undefined
        if (page.last < this.upTo) {
          this.ahead = yield* Effect.forkIn(this.read(page.last), this.scope, { startImmediately: true })
          // A consumer that never waits would keep even the question from being sent until it is through.
          yield* Effect.promise(() => aTurn())
        }
        const events = this.current(page.events)
        if (Arr.isReadonlyArrayNonEmpty(events)) return events
      }
      return yield* this.failure === undefined ? Cause.done() : Effect.fail(logError(this.failure))
    }
  )

  /** A page is asked for again where the server came to be another one meanwhile, or could not be reached for a while. */
  private read(after: number): Effect.Effect<Page, ReplayError> {
    return Effect.gen({ self: this }, function* () {
      for (let failures = 0; ;) {
        const asked = yield* Effect.result(this.ask(after))
        if (Result.isSuccess(asked)) {
          if (asked.success !== undefined) return asked.success
        } else {
          if (failures === PAGE_TRIES || !isPassing(asked.failure)) return yield* Effect.fail(asked.failure)
          yield* Effect.sleep(backoffMs(failures++))
        }
      }
    })
  }

  /** Undefined where it may be of another log than the pages before. */
  private ask(after: number): Effect.Effect<Page | undefined, ReplayError> {
    const { feed } = this.parts
    return Effect.flatMap(feed.sure(this.pager.next(after, this.upTo)), (page) =>
      page !== undefined && isSameOrigin(this.origin, feed.origin())
        ? Effect.as(this.whole(after), page)
        : Effect.as(this.recognise, undefined)
    )
  }

  /** Nothing of a page was dropped since the replay began; what was gone then is not missed from the start on. */
  private whole(after: number): Effect.Effect<void, ReplayError> {
    return after > 0 && isInEarlierPartition(after, this.upTo)
      ? this.parts.resume.kept(Math.max(after, this.gone), this.criteria)
      : Effect.void
  }

  /** In another epoch, the log may have ended before what is still to come, and a standby may not have all of it yet. */
  private readonly recognise: Effect.Effect<void, ReplayError> = Effect.gen({ self: this }, function* () {
    const { feed, identity } = this.parts
    const origin = feed.origin()
    const rewound = yield* feed.rewound(this.upTo, this.origin)
    if (rewound !== undefined) return yield* logError(rewound)
    yield* whenSettled(feed.pages, this.upTo, identity.current().standby)
    this.origin = origin
  })

  private current(events: ReadonlyArray<Event>): ReadonlyArray<Event> {
    const current: Array<Event> = []
    for (const event of events) {
      const read = upToDate(this.parts.types, event)
      if (read instanceof UpcastFailed) {
        this.failure = read
        break
      }
      current.push(read)
    }
    return current
  }
}
