import { Effect } from "effect"

/** Does what is done again and again: it tells of a failure once, until it has succeeded. Gives whether it did, and never fails. */
export const warningOnce = (
  message: string
): (<E, R>(work: Effect.Effect<unknown, E, R>) => Effect.Effect<boolean, never, R>) => {
  let hasFailed = false
  return (work) =>
    Effect.matchEffect(work, {
      onSuccess: () =>
        Effect.sync(() => {
          hasFailed = false
          return true
        }),
      onFailure: (cause) => {
        const isNew = !hasFailed
        hasFailed = true
        return Effect.as(isNew ? Effect.logWarning(message, { cause }) : Effect.void, false)
      }
    })
}
