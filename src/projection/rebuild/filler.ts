import { Effect } from "effect"
import type { PostgresError } from "../../postgres/error.ts"
import type { Event } from "../../log/event.ts"
import type { Feed } from "../../log/feed.ts"
import { Pager } from "../../log/pager.ts"
import { attempt, type FoldFailed } from "../fold.ts"
import { type Failure, foldStretch, isAboutBatch } from "../fold-stretch.ts"
import type { Overtaken } from "../registry.ts"
import type { Build, Stretch } from "./build.ts"

/** Fills the tables of a build from the log. */
export interface Filler {
  /** Folds everything up to a settled position. Fails with Poisoned before the event that the fold fails on. */
  readonly fill: (upTo: number) => Effect.Effect<void, Failure>
  /** Throws away what was filled, to fill it again in the order of the log; undefined where that is how it was filled. */
  readonly startOver?: Effect.Effect<void, PostgresError | Overtaken>
}

/** A filler for the tables of a build. */
export interface Filling {
  readonly filler: Filler
  /** Rows are only added, and nothing looks for any meanwhile. */
  readonly onlyAdds: boolean
  /** Rows are looked for by unique keys at most. */
  readonly onlyByKey: boolean
}

/** Whether something in what was folded is to blame, so that folding it bit by bit tells what. */
export const isAboutEvents = (
  failure: PostgresError | FoldFailed | Overtaken
): failure is PostgresError | FoldFailed =>
  // More than one, since so much was tried at once.
  failure._tag !== "Overtaken" && isAboutBatch(failure, 2)

/** Folds a stretch of which these are the wanted events as it is done live, in a transaction of its own. */
export const foldEvents = (
  build: Build,
  stretch: Stretch,
  events: ReadonlyArray<Event>
): Effect.Effect<void, PostgresError | FoldFailed | Overtaken> =>
  Effect.flatMap(
    attempt(() => events.map((event) => build.types.upcast(event))),
    (batch) => build.advance(stretch, batch.length, (connection) => build.fold(connection, batch))
  )

/**
 * Folds a stretch as it is done live, page by page through this process; where something in it is to blame, in smaller and
 * smaller parts, up to the very event.
 */
export const foldLikeLive = (
  feed: Feed["Service"],
  build: Build,
  from: number,
  upTo: number,
  onFolded: (events: number, position: number) => void
): Effect.Effect<void, Failure> =>
  Effect.gen(function* () {
    const pager = new Pager(feed.pages, { types: build.wanted })
    let folded = from
    const done = (events: number, to: number): void => {
      folded = to
      onFolded(events, to)
    }
    for (let at = from; at < upTo;) {
      const { events, last } = yield* pager.next(at, upTo)
      at = last
      if (events.length > 0)
        yield* foldStretch({ events, upTo: last }, (some, to) =>
          Effect.map(foldEvents(build, { from: folded, to }, some), () => done(some.length, to))
        )
    }
    if (folded < upTo) yield* Effect.map(build.advance({ from: folded, to: upTo }, 0), () => done(0, upTo))
  })
