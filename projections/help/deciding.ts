import { Effect } from "effect"
import type { NewEvent } from "../../src/log/event.ts"
import { NotAllowed, NotFound, projectionError } from "../../src/projection/error.ts"
import type { OperationContext } from "../../src/projection/operation.ts"
import { whoeverIsFaster } from "../outrun.ts"
import { HelpAnswered, HelpStatusChanged, helpStream } from "./events.ts"
import { type HelpStatus, NEXT } from "./life-cycle.ts"

interface Standing {
  readonly version: number
  readonly type: string | null
  readonly status: HelpStatus | null
}

/** What says another status than that of a request that was just made. */
const TYPES = [HelpAnswered.type, HelpStatusChanged.type]
const STATUSES = Object.keys(NEXT)

const statusOf = ({ type, status }: Standing): HelpStatus => {
  if (type === null) return "pending"
  return type === HelpAnswered.type ? "answered" : status!
}

/**
 * Appends an event to a request, where its status allows it: decided on what is in the log, and again where somebody else was faster. Fails with
 * NotFound or NotAllowed.
 */
export const decide = (
  operation: string,
  request: string,
  isAllowed: (status: HelpStatus) => boolean,
  event: NewEvent,
  { query, emit }: OperationContext
) =>
  whoeverIsFaster(
    Effect.gen(function* () {
      const stream = helpStream(request)
      const [standing] = yield* query<Standing>("#projections/help/standing.sql", [stream, TYPES, STATUSES])
      if (standing === undefined) {
        const next = "ask with help.ask first, or take a request that help.list gives"
        return yield* projectionError(
          new NotFound({ operation, thing: "help request", ids: [request], next })
        )
      }
      const status = statusOf(standing)
      if (!isAllowed(status)) {
        const subject = `help request ${JSON.stringify(request)}`
        return yield* projectionError(new NotAllowed({ operation, subject, status, allowed: NEXT[status] }))
      }
      return yield* emit(stream, event, { expected: standing.version })
    })
  )
