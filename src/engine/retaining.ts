import { Cause, Effect, Layer } from "effect"
import type { EventLog } from "../log/event-log.ts"
import type { LogIdentity } from "../log/identity.ts"
import type { Postgres } from "../postgres/postgres.ts"
import { retainIn } from "./retention/retaining.ts"

/** Whoever else applies retention, or the primary of a standby, sees to it. */
const isLeftToOthers = (failure: unknown): boolean =>
  typeof failure === "object" &&
  failure !== null &&
  "_tag" in failure &&
  (failure._tag === "RetentionUnderWay" ||
    ("reason" in failure && (failure.reason as { _tag?: string })._tag === "ReadOnly"))

const once = retainIn().pipe(
  Effect.flatMap(({ steps }) => {
    const failed = steps.filter(({ outcome }) => outcome === "failed")
    return failed.length === 0
      ? Effect.void
      : Effect.logWarning("retention could not do all that it is to do", {
          failed: failed.map(({ kind, subject, problem }) => ({ kind, subject, problem }))
        })
  }),
  Effect.catchCause((cause) =>
    isLeftToOthers(Cause.squash(cause))
      ? Effect.void
      : Effect.logWarning("retention cannot be applied now", { cause })
  )
)

/** Applies retention as long as the engine is there, now and then. */
export const retaining = (everyMs: number): Layer.Layer<never, never, Postgres | EventLog | LogIdentity> =>
  Layer.effectDiscard(Effect.forkScoped(Effect.forever(Effect.andThen(Effect.sleep(everyMs), once))))
