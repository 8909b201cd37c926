import { Effect } from "effect"
import { dropCheckpoint } from "./checkpointing.ts"
import type { StateFailure, StateParts, StateScene } from "./parts.ts"
import { endSession } from "./sessions.ts"

/** How much of each kind is ended at a time. */
const AT_ONCE = 500

/** Why, as the log says it. */
const BY = { reason: "it expired" }

/** How much was ended. */
export interface Swept {
  readonly sessions: number
  readonly checkpoints: number
}

/** Ends sessions and checkpoints that are over, by events, as anybody could; several engines may do so at once. */
export const sweep = Effect.fnUntraced(function* (parts: StateParts): Effect.fn.Return<Swept, StateFailure> {
  const swept = { sessions: 0, checkpoints: 0 }
  for (;;) {
    const expired = yield* parts.store.expired(AT_ONCE)
    for (const { what, agent, branch, checkpoint, session } of expired) {
      const scene: StateScene = { parts, name: parts.named(agent, branch), agentType: undefined }
      if (what === "session") {
        const { version } = yield* endSession(scene, "expired", BY, session)
        if (version > 0) swept.sessions += 1
      } else if (yield* isStillThere(parts, checkpoint!)) {
        yield* dropCheckpoint(scene, checkpoint!, "expired", BY)
        swept.checkpoints += 1
      }
    }
    if (expired.length < AT_ONCE) return swept
    // What was ended has to be seen, or it would be ended again.
    yield* parts.store.caughtUp(yield* parts.log.settled)
  }
})

/** Another engine may have ended it since it was found. */
const isStillThere = ({ store }: StateParts, checkpoint: string): Effect.Effect<boolean, StateFailure> =>
  Effect.map(store.droppedBecause(checkpoint), (why) => why === undefined)
