import { Context, Effect, Layer } from "effect"
import type { PostgresError } from "../postgres/error.ts"
import { Postgres } from "../postgres/postgres.ts"
import { Appender } from "./appender.ts"
import type { LogRewound } from "./error.ts"
import type { Event } from "./event.ts"
import { LogIdentity, type Origin, type Unrecognised } from "./identity.ts"
import { FeedReader } from "./feed-reader.ts"
import type { Holder, Pages } from "./page.ts"
import type { Page, Pager } from "./pager.ts"
import { Wake } from "./wake.ts"

/** Takes what the feed reads. */
export interface Sink {
  /** The next stretch of the log, all of it settled, and how far the log is settled now. */
  readonly offer: (events: ReadonlyArray<Event>, settled: number) => void
  /** The log was restored to before what was handed over, or another took its place: nothing more comes. */
  readonly rewound: (error: LogRewound) => void
  /** The only types it wants; while every sink names its own, the database passes over the others. */
  readonly types?: ReadonlyArray<string>
  /** The only streams it wants: it is offered their events alone, and nothing where there are none; `handed` tells how far that is. */
  readonly streams?: ReadonlyArray<string>
  /** How long it does not mind waiting for what was written, in ms; while all are patient, the feed looks less often. */
  readonly patienceMs?: number
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
    readonly start: Effect.Effect<number, Unrecognised>
    /** Where the feed is; undefined while nobody is attached. */
    readonly position: () => number | undefined
    /** Up to where everything was handed to those who are attached. */
    readonly handed: () => number
    /** Attaches a sink to what comes after the feed's position; returns how to detach it. */
    readonly attach: (sink: Sink) => () => void
    /** Somebody waits for a position: looks now, whoever is patient, unless that was read already. */
    readonly wake: (position: number) => void
    /** The epoch of the log, as far as this process knows. */
    readonly epoch: () => number
    /** Which log, in which epoch, this process reads now, as far as it knows. */
    readonly origin: () => Origin
    /** Why a position cannot be gone on from, if it cannot: this is another log, or it was restored to before it. */
    readonly rewound: (
      position: number,
      origin: Origin
    ) => Effect.Effect<LogRewound | undefined, PostgresError>
    /** What a query read, made sure to be all of one log; undefined where the server may have become another meanwhile. */
    readonly sure: <A>(query: Effect.Effect<A, PostgresError>) => Effect.Effect<A | undefined, Unrecognised>
    /**
     * A page after a position, up to where the feed is: nothing of it is of another log, or of another of its epochs, than the feed
     * is of. Undefined where the feed was not sure of that, and then it has looked.
     */
    readonly page: (pager: Pager, after: number) => Effect.Effect<Page | undefined, Unrecognised>
    /** Whether a connection leads to that log in that epoch: asks it only where that is in doubt. */
    readonly isStill: LogIdentity["Service"]["isStill"]
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
      const identity = yield* LogIdentity
      const reader = new FeedReader(postgres, yield* Wake, identity)
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
        handed: () => reader.handed,
        attach: (sink) => reader.attach(sink),
        wake: (position) => reader.wake(position, true),
        epoch: () => identity.current().epoch,
        origin: () => identity.current(),
        rewound: (position, origin) => reader.rewound(position, origin),
        sure: (query) => reader.sure(query),
        page: (pager, after) => reader.page(pager, after),
        isStill: (origin, connection) => identity.isStill(origin, connection),
        pages: reader.pages,
        settled: reader.settled,
        status: () => reader.status()
      })
    })
  )
}
