import { Effect } from "effect"
import type { PostgresError } from "../../postgres/error.ts"
import type { Event } from "../../log/event.ts"
import type { Feed } from "../../log/feed.ts"
import { Pager } from "../../log/pager.ts"
import { attempt, type FoldFailed } from "../fold.ts"
import { type Failure, foldStretch, isAboutBatch } from "../fold-stretch.ts"
import type { Overtaken } from "../registry.ts"
import type { Build } from "./build.ts"

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

/** Folds some events as it is done live, in a transaction of their own. */
export const foldEvents = (
  build: Build,
  events: ReadonlyArray<Event>
): Effect.Effect<void, PostgresError | FoldFailed | Overtaken> =>
  events.length === 0
    ? Effect.void
    : Effect.flatMap(
        attempt(() => events.map((event) => build.types.upcast(event))),
        (batch) => build.transaction((connection) => build.fold(connection, batch))
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
    let at = from
    while (at < upTo) {
      const { events, last } = yield* pager.next(at, upTo)
      yield* foldStretch({ events, upTo: last }, (some, position) =>
        Effect.map(foldEvents(build, some), () => onFolded(some.length, position))
      )
      at = last
    }
  })
