import { Effect, Layer } from "effect"
import { ReadModels } from "./read-models.ts"

/** How often an engine says of sessions whose time is over that it is, in ms, unless configured: hourly. Nobody reads anything else before. */
const EXPIRE_EVERY_MS = 3_600_000

/** How many are taken at a time. */
const AT_ONCE = 1_000

/** Has sessions expired as long as the engine is there, now and then. A standby, or a role that may only read, leaves that to others. */
export const expiringSessions = (everyMs = EXPIRE_EVERY_MS): Layer.Layer<never, never, ReadModels> =>
  Layer.effectDiscard(
    Effect.gen(function* () {
      const { sessions } = yield* ReadModels
      const once = Effect.repeat(sessions.expire({ limit: AT_ONCE }), { while: ({ more }) => more })
      yield* Effect.forkScoped(Effect.forever(Effect.andThen(Effect.sleep(everyMs), Effect.ignore(once))))
    })
  )
