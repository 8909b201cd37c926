import { Effect } from "effect"
import { type LogError, VersionConflict } from "../src/log/error.ts"
import type { OperationError } from "../src/projection/operation.ts"

/** How often something is decided anew because somebody else was faster; each time, somebody got through. */
const MAX_TRIES = 100

/** Somebody else has appended to the stream since it was looked at. */
export const isOutrun = (error: OperationError): error is LogError =>
  error._tag === "LogError" && error.reason instanceof VersionConflict

/**
 * Decides by what a stream says and appends to it, and does so again where somebody else was faster. Fails with VersionConflict where others
 * were a hundred times.
 */
export const whoeverIsFaster = <A>(
  attempt: Effect.Effect<A, OperationError>
): Effect.Effect<A, OperationError> => Effect.retry(attempt, { times: MAX_TRIES - 1, while: isOutrun })
