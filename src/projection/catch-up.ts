import { Effect, Option } from "effect"
import { decodeToken } from "../base/token.ts"
import type { PostgresError } from "../postgres/error.ts"
import { type LogError, Unavailable } from "../log/error.ts"
import type { EventLog } from "../log/event-log.ts"
import type { Feed } from "../log/feed.ts"
import { STANDBY_PATIENCE_MS } from "../log/resume.ts"
import { ProjectionBehind, type ProjectionError, projectionError } from "./error.ts"
import type { OwnWrites } from "./own-writes.ts"
import type { Runner } from "./runner.ts"

/** How long a query waits for its projection to have read this engine's own writes, in ms, unless configured. */
export const DEFAULT_READ_OWN_WRITES_MS = 1_000

export interface CatchUpParts {
  readonly log: EventLog["Service"]
  readonly feed: Feed["Service"]
  readonly writes: OwnWrites
  readonly patienceMs: number
}

/** What keeps a projection from being further. */
const whyBehind = (runner: Runner, feed: Feed["Service"]): string => {
  const { error, lag, follows } = runner.status()
  const holdup = feed.status()?.holdup
  if (error !== undefined) return `it tries again after: ${error.message}`
  if (holdup !== undefined) {
    const pids = holdup.holders.map(({ pid }) => pid ?? "a prepared transaction").join(", ")
    return `an append that is still open has held up the log for ${Date.now() - holdup.since} ms (pid ${pids})`
  }
  if (lag.atMost === 0) return "the log has not been read up to there yet"
  const who = follows ? "another process folds it, and it" : "it"
  return lag.isCount
    ? `${who} has ${lag.atMost} ${lag.atMost === 1 ? "event" : "events"} of its types still to fold`
    : `${who} is ${lag.atMost} positions behind at most`
}

/** How long to wait for a projection that does not come any further, and for one that does, in ms. */
export interface Patience {
  readonly stalledMs: number
  readonly mostMs: number
}

/** Until a projection has come to a position; fails with ProjectionBehind where it does not within a patience. */
export const reach = Effect.fnUntraced(function* (
  runner: Runner,
  feed: Feed["Service"],
  position: number,
  { stalledMs, mostMs }: Patience
) {
  const began = performance.now()
  const { progress } = runner
  const waited = (): number => Math.round(performance.now() - began)
  for (;;) {
    const before = progress.position
    if (runner.stop !== undefined) return yield* projectionError(runner.stop)
    runner.hurry()
    const restMs = Math.min(stalledMs, mostMs - waited())
    const isThere = yield* Effect.timeoutOption(progress.wait(position), Math.max(restMs, 0))
    if (Option.isSome(isThere)) return
    if (progress.position > before && waited() < mostMs) continue
    return yield* projectionError(
      new ProjectionBehind({
        projection: runner.name,
        position,
        reached: progress.position,
        waitedMs: Math.min(Math.max(waited(), stalledMs), mostMs),
        why: whyBehind(runner, feed)
      })
    )
  }
})

/** How a projection's queries wait until it has read what was written before them. */
export const catchUp = (runner: Runner, { log, feed, writes, patienceMs }: CatchUpParts) => {
  const types = runner.blueprint.events.map((event) => event.type)

  /** The only log that is not there yet for a token is a standby's. */
  const orBehind = (
    error: LogError | PostgresError,
    token: string
  ): LogError | PostgresError | ProjectionError =>
    error._tag === "LogError" && error.reason instanceof Unavailable
      ? projectionError(
          new ProjectionBehind({
            projection: runner.name,
            position: decodeToken(token)?.position ?? 0,
            reached: runner.progress.position,
            waitedMs: STANDBY_PATIENCE_MS,
            why: error.reason.detail
          })
        )
      : error

  return (after: string | undefined): Effect.Effect<void, ProjectionError | LogError | PostgresError> =>
    Effect.suspend(() => {
      const own = writes.of(types)
      if (after === undefined && own <= runner.progress.position && runner.stop === undefined)
        return Effect.void
      const token =
        after === undefined
          ? Effect.succeed(0)
          : Effect.mapError(log.resolve(after), (error) => orBehind(error, after))
      return Effect.flatMap(token, (position) => {
        if (runner.stop !== undefined) return Effect.fail(projectionError(runner.stop))
        const target = Math.max(own, position)
        if (target <= runner.progress.position) return Effect.void
        // What another process wrote may not have been announced here.
        feed.wake(target)
        return reach(runner, feed, target, { stalledMs: patienceMs, mostMs: patienceMs })
      })
    })
}
