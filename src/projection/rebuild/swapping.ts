import { Effect } from "effect"
import { LockTimeout, PostgresError } from "../../postgres/error.ts"
import type { ProjectionError } from "../error.ts"
import type { Failure } from "../fold-stretch.ts"
import type { Registered } from "../registry.ts"
import type { Build, RebuildParts } from "./build.ts"
import { catchUp } from "./catch-up.ts"
import { recognised } from "./epoch.ts"
import type { Filler } from "./filler.ts"
import { type Behind, swap, type Swapped } from "./swap.ts"
import { isBlocked, untilUnlocked } from "./unlocked.ts"

/** When and how long it is tried to swap. */
export interface Swapping {
  readonly force: boolean
  readonly patienceMs: number
  /** Which log, in which epoch, the build was filled from. */
  readonly epoch: string
  /** The live projection as it was when the build began. */
  readonly before: Registered | undefined
}

/** One try. */
const trySwap = (
  parts: RebuildParts,
  build: Build,
  { force, epoch }: Swapping
): Effect.Effect<Swapped, Failure | Behind | ProjectionError> =>
  Effect.andThen(
    recognised(parts, build.name),
    Effect.suspend(() => {
      build.pace.enter("swap")
      return swap(parts, build, { force, epoch })
    })
  )

/** Tries to make a build live until it is, catching up in between: readers that hold the views may take their time. */
export const untilSwapped = (
  parts: RebuildParts,
  build: Build,
  filler: Filler,
  swapping: Swapping
): Effect.Effect<Swapped, Failure | ProjectionError> => {
  const { patienceMs } = swapping
  const isPassing = (failure: Failure | Behind | ProjectionError): failure is PostgresError | Behind =>
    isBlocked(failure) || failure._tag === "Behind"
  const trying = untilUnlocked<Swapped, Failure | Behind | ProjectionError>(trySwap(parts, build, swapping), {
    patienceMs,
    meanwhile: catchUp(parts, build, filler, false),
    passes: isPassing
  })
  const swapped = Effect.catchIf(trying, isPassing, ({ message }) => {
    const detail = `the views of ${build.name} were in use for ${patienceMs} ms (${message})`
    return Effect.fail(new PostgresError({ reason: new LockTimeout({ detail }) }))
  })
  // Lost at COMMIT, an earlier swap may have been done all the same.
  return Effect.flatMap(build.livePosition, (position) =>
    position === undefined ? swapped : Effect.succeed({ live: swapping.before, position })
  )
}
