import { Effect } from "effect"
import { backoffMs } from "../../base/backoff.ts"
import { LockTimeout, PostgresError } from "../../postgres/error.ts"
import type { ProjectionError } from "../error.ts"
import type { Failure } from "../fold-stretch.ts"
import type { Build, RebuildParts } from "./build.ts"
import { recognised, sameEpoch } from "./epoch.ts"
import { isBlocked, untilUnlocked } from "./unlocked.ts"

/**
 * How long a rebuild waits for a connection or a server that is gone, in ms, from when it last got any further, or worked for as long
 * at a time.
 */
const AWAY_MS = 60_000

const STILL_AT_IT = `the server was still at a statement of this rebuild ${AWAY_MS} ms after its connection had been lost`

type Problem = Failure | ProjectionError

const PASSING: ReadonlySet<PostgresError["reason"]["_tag"]> = new Set([
  "ConnectionLost",
  "Unreachable",
  "Busy",
  "Contention",
  "ReplicaBehind"
])

/** A connection broke, or none is to be had, or somebody was in the way, or lags: later, it may do. */
export const isPassing = (failure: Problem): failure is PostgresError =>
  failure._tag === "PostgresError" && PASSING.has(failure.reason._tag)

/** Tries again until it does, or it does not for so long. */
export const whileAway = <A, E extends Problem>(
  work: Effect.Effect<A, E>,
  meanwhile: Effect.Effect<void, E> = Effect.void,
  reached: () => number = () => 0
): Effect.Effect<A, E> =>
  Effect.suspend(() => {
    let failures = 0
    let endsAt = 0
    let before = 0
    let beganAt = 0
    const timed = Effect.suspend(() => {
      beganAt = performance.now()
      return work
    })
    const mayPass = (failure: E): boolean => {
      if (!isPassing(failure)) return false
      const now = performance.now()
      if (failures === 0 || reached() > before || now - beganAt >= AWAY_MS) {
        failures = 0
        before = reached()
        endsAt = now + AWAY_MS
      }
      return now < endsAt
    }
    const attempt = (next: Effect.Effect<A, E>): Effect.Effect<A, E> =>
      Effect.catchIf(next, mayPass, () =>
        Effect.andThen(
          Effect.suspend(() => Effect.sleep(backoffMs(failures++))),
          Effect.suspend(() => attempt(Effect.andThen(meanwhile, timed)))
        )
      )
    return attempt(timed)
  })

/** A try whose row is gone was given up by another, unless the log is not what it was: then it may never have had the row. */
const unlessRestored = <A>(
  parts: RebuildParts,
  build: Build,
  epoch: string,
  work: Effect.Effect<A, Problem>
): Effect.Effect<A, Problem> =>
  Effect.catchTag(work, "Overtaken", (overtaken) =>
    recognised(parts, build.name).pipe(
      Effect.andThen(sameEpoch(parts.postgres, parts.postgres, build.name, epoch)),
      Effect.andThen(Effect.fail(overtaken))
    )
  )

/**
 * Does a step of a rebuild, and where its connection or the server goes away meanwhile, does it again from where the build is once
 * it is back. A step must come to the same if it is done twice.
 */
export const throughLosses = <A>(
  parts: RebuildParts,
  build: Build,
  epoch: string,
  step: Effect.Effect<A, Problem>
): Effect.Effect<A, Problem> => {
  const comeBack: Effect.Effect<void, Problem> = Effect.gen(function* () {
    yield* Effect.catchIf(untilUnlocked(build.recover, { patienceMs: AWAY_MS }), isBlocked, () =>
      Effect.fail(new PostgresError({ reason: new LockTimeout({ detail: STILL_AT_IT }) }))
    )
    yield* sameEpoch(parts.postgres, parts.postgres, build.name, epoch)
    const { name: projection, position } = build
    yield* Effect.logWarning("A rebuild lost its connection, and goes on", { projection, position })
  })
  const known = <B>(work: Effect.Effect<B, Problem>) => unlessRestored(parts, build, epoch, work)
  return whileAway(known(step), known(comeBack), () => build.extent)
}
