import { Effect } from "effect"
import type { PostgresError } from "../../postgres/error.ts"
import { Barrier } from "../barrier.ts"
import { type LogError, logError, Unavailable } from "../error.ts"
import type { Pages } from "../page.ts"

/** How long a position that is not settled yet is waited for, in ms, and how often it is looked at. */
export const SETTLING_PATIENCE_MS = 5_000
const LOOK_MS = 50

/**
 * Resolves when a position that the log has handed out is settled: on a primary when the appends that were under way are over,
 * on a standby when it is written down there. Fails with Unavailable where that takes longer than 5 s.
 */
export const whenSettled = (
  pages: Pages,
  position: number,
  standby: boolean,
  patienceMs: number = SETTLING_PATIENCE_MS
): Effect.Effect<void, LogError | PostgresError> =>
  Effect.gen(function* () {
    const deadline = Date.now() + patienceMs
    let recorded = yield* pages.settledPosition()
    if (recorded >= position) return
    const barrier = standby ? undefined : new Barrier(position, yield* pages.lockHolders())
    for (;;) {
      if (barrier?.isPassed(yield* pages.lockHolders()) === true || recorded >= position) return
      if (Date.now() >= deadline) return yield* logError(unsettled(position, recorded, standby, patienceMs))
      yield* Effect.sleep(LOOK_MS)
      recorded = yield* pages.settledPosition()
    }
  })

const unsettled = (position: number, settled: number, standby: boolean, waitedMs: number): Unavailable => {
  const why = standby
    ? "this standby has not heard yet that it is"
    : "an append that is still open holds the log, and `tidemark status` names it"
  return new Unavailable({
    detail: `position ${position} was not settled in ${waitedMs} ms, what is settled ends at ${settled}: ${why}`
  })
}
