import { Effect } from "effect"
import type { StateFailure, StateParts } from "../parts.ts"

/** How much of each kind is ended at a time. */
const AT_ONCE = 500

/** How much was ended. */
export interface Swept {
  readonly sessions: number
  readonly checkpoints: number
}

/** Ends sessions and checkpoints that are over, by events; several engines may do so at once, and nothing is ended twice. */
export const sweep = Effect.fnUntraced(function* ({
  store,
  log
}: StateParts): Effect.fn.Return<Swept, StateFailure> {
  let [sessions, checkpoints] = [0, 0]
  for (;;) {
    const ended = yield* store.endExpired(AT_ONCE)
    sessions += ended.sessions
    checkpoints += ended.checkpoints
    if (ended.sessions + ended.checkpoints === 0) return { sessions, checkpoints }
    // What has changed can be ended only when it was seen.
    yield* store.caughtUp(yield* log.settled)
  }
})
