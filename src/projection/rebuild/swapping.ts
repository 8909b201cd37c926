import { Effect } from "effect"
import { backoffMs } from "../../base/backoff.ts"
import { ConnectionLost, LockTimeout, PostgresError } from "../../postgres/error.ts"
import { type ProjectionError, projectionError } from "../error.ts"
import type { Failure } from "../fold-stretch.ts"
import type { Registered } from "../registry.ts"
import type { Build, RebuildParts } from "./build.ts"
import { catchUp } from "./catch-up.ts"
import { RebuildLost } from "./error.ts"
import type { Filler } from "./filler.ts"
import { type Behind, swap, type Swapped } from "./swap.ts"

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

const isBlocked = (failure: Failure | Behind | ProjectionError): boolean =>
  failure._tag === "PostgresError" && failure.reason instanceof LockTimeout

/** Tries to make a build live until it is, catching up in between: readers that hold the views may take their time. */
export const untilSwapped = Effect.fnUntraced(function* (
  parts: RebuildParts,
  build: Build,
  filler: Filler,
  { force, patienceMs, epoch, before }: Swapping
): Effect.fn.Return<Swapped, Failure | ProjectionError> {
  const endsAt = performance.now() + patienceMs
  for (let failures = 0; ; failures++) {
    yield* recognised(parts, build.name)
    build.pace.enter("swap")
    const outcome = yield* Effect.result(swap(parts, build, { force, epoch }))
    if (outcome._tag === "Success") return outcome.success
    const { failure } = outcome
    if (failure._tag === "PostgresError" && failure.reason instanceof ConnectionLost) {
      // Lost at COMMIT, it may have been done all the same.
      const now = yield* parts.registry.load(build.name)
      if (now?.generation === build.number) return { live: before, position: now.position }
    }
    if (failure._tag !== "Behind" && !isBlocked(failure)) return yield* Effect.fail(failure)
    if (performance.now() >= endsAt) {
      const detail = `the views of ${build.name} were in use for ${patienceMs} ms (${failure.message})`
      return yield* new PostgresError({ reason: new LockTimeout({ detail }) })
    }
    if (isBlocked(failure)) yield* Effect.sleep(backoffMs(failures))
    yield* catchUp(parts, build, filler, false)
  }
})
