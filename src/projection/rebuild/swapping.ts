import { Effect } from "effect"
import { LockTimeout, PostgresError } from "../../postgres/error.ts"
import { isConnectionLost } from "../../postgres/postgres.ts"
import { type ProjectionError, projectionError } from "../error.ts"
import type { Failure } from "../fold-stretch.ts"
import type { Registered } from "../registry.ts"
import type { Build, RebuildParts } from "./build.ts"
import { catchUp } from "./catch-up.ts"
import { RebuildLost } from "./error.ts"
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

/** Makes sure that the log's epoch is the one of the server that answers now: a connection may lead to another than before. */
const recognised = (
  parts: RebuildParts,
  projection: string
): Effect.Effect<void, Failure | ProjectionError> =>
  parts.feed.sure(Effect.void).pipe(
    Effect.asVoid,
    Effect.mapError((error) =>
      error._tag === "PostgresError"
        ? error
        : projectionError(new RebuildLost({ projection, detail: error.message }))
    )
  )

/** One try, which may have been done where the connection was lost at COMMIT. */
const trySwap = Effect.fnUntraced(function* (
  parts: RebuildParts,
  build: Build,
  { force, epoch, before }: Swapping
): Effect.fn.Return<Swapped, Failure | Behind | ProjectionError> {
  yield* recognised(parts, build.name)
  build.pace.enter("swap")
  const outcome = yield* Effect.result(swap(parts, build, { force, epoch }))
  if (outcome._tag === "Success") return outcome.success
  const { failure } = outcome
  if (failure._tag === "PostgresError" && isConnectionLost(failure)) {
    const now = yield* parts.registry.load(build.name)
    if (now?.generation === build.number) return { live: before, position: now.position }
  }
  return yield* Effect.fail(failure)
})

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
  return Effect.catchIf(trying, isPassing, ({ message }) => {
    const detail = `the views of ${build.name} were in use for ${patienceMs} ms (${message})`
    return Effect.fail(new PostgresError({ reason: new LockTimeout({ detail }) }))
  })
}
