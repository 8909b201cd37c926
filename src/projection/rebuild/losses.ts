import { Effect } from "effect"
import { backoffMs } from "../../base/backoff.ts"
import type { PostgresError } from "../../postgres/error.ts"
import type { ProjectionError } from "../error.ts"
import type { Failure } from "../fold-stretch.ts"
import type { Build, RebuildParts } from "./build.ts"
import { sameEpoch } from "./epoch.ts"
import { untilUnlocked } from "./unlocked.ts"

/** How long a rebuild waits for a connection or a server that is gone, in ms, from when it last got any further. */
const AWAY_MS = 60_000

type Problem = Failure | ProjectionError

/** A connection broke, or none is to be had, or somebody was in the way: later, it may do. */
export const isPassing = (failure: Problem): failure is PostgresError => {
  if (failure._tag !== "PostgresError") return false
  const { _tag } = failure.reason
  return _tag === "ConnectionLost" || _tag === "Unreachable" || _tag === "Busy" || _tag === "Contention"
}

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
    const mayPass = (failure: E): boolean => {
      if (!isPassing(failure)) return false
      const now = performance.now()
      if (failures === 0 || reached() > before) {
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
          Effect.suspend(() => attempt(Effect.andThen(meanwhile, work)))
        )
      )
    return attempt(work)
  })

/**
 * Does a step of a rebuild, and where its connection or the server goes away meanwhile, does it again from where the build is once
 * it is back. A step must come to the same if it is done twice.
 */
export const throughLosses = <A>(
  { postgres }: RebuildParts,
  build: Build,
  epoch: string,
  step: Effect.Effect<A, Problem>
): Effect.Effect<A, Problem> => {
  const comeBack: Effect.Effect<void, Problem> = Effect.gen(function* () {
    yield* untilUnlocked(build.recover, { patienceMs: AWAY_MS })
    yield* sameEpoch(postgres, postgres, build.name, epoch)
    const { name: projection, position } = build
    yield* Effect.logWarning("A rebuild lost its connection, and goes on", { projection, position })
  })
  return whileAway(step, comeBack, () => build.extent)
}
