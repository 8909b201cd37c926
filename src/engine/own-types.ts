import { Effect } from "effect"
import { EventLog } from "../log/event-log.ts"
import { InvalidArgument, type LogError, logError } from "../log/error.ts"
import type { EventType } from "../log/event-type.ts"

/** Declares types of Tidemark's own, which emits are then checked by; fails with InvalidArgument where the caller has another one of that name. */
export const declareOwn = (types: ReadonlyArray<EventType>): Effect.Effect<void, LogError, EventLog> =>
  Effect.flatMap(EventLog, (log) => {
    const twice = log.types.declare(types)
    if (twice === undefined) return Effect.void
    const problem = `${twice} is a type of Tidemark's own, and events declares another one: give yours another name`
    return Effect.fail(logError(new InvalidArgument({ problem })))
  })
