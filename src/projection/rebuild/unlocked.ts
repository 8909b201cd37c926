import { Effect } from "effect"
import { backoffMs } from "../../base/backoff.ts"
import { LockTimeout, PostgresError } from "../../postgres/error.ts"

/** How work is tried again that others' locks may be in the way of. */
export interface Insisting<E> {
  /** For how long, in ms; then the last failure is what comes of it. */
  readonly patienceMs: number
  /** What there is to do before each further try. Default: nothing. */
  readonly meanwhile?: Effect.Effect<unknown, E>
  /** What may pass beside locks. Default: nothing. */
  readonly passes?: (failure: E) => boolean
}

/** Whether a lock was not free in time. */
export const isBlocked = (failure: unknown): boolean =>
  failure instanceof PostgresError && failure.reason instanceof LockTimeout

/** Tries again, after pauses that grow, while a lock is not free. */
export const untilUnlocked = <A, E>(
  work: Effect.Effect<A, E>,
  { patienceMs, meanwhile = Effect.void, passes = () => false }: Insisting<E>
): Effect.Effect<A, E> =>
  Effect.suspend(() => {
    const endsAt = performance.now() + patienceMs
    const mayPass = (failure: E): boolean =>
      (isBlocked(failure) || passes(failure)) && performance.now() < endsAt
    const attempt = (failures: number): Effect.Effect<A, E> =>
      Effect.catchIf(work, mayPass, () =>
        Effect.sleep(backoffMs(failures)).pipe(
          Effect.andThen(meanwhile),
          Effect.andThen(attempt(failures + 1))
        )
      )
    return attempt(0)
  })
