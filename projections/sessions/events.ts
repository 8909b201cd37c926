import { Schema } from "effect"
import { eventType } from "../../src/log/event-type.ts"
import { AgentId } from "../agent-id.ts"
import { Moment } from "../moment.ts"
import { MAX_NAME_LENGTH, shortText } from "../short-text.ts"
import { TtlMs } from "./life-cycle.ts"

/** The category of the streams of users' and agents' sessions; the session tier of an agent's state is in the stream of that state. */
export const SESSION = "session"

export const sessionStream = (session: string): string => `${SESSION}-${session}`

/** What a session holds for those who use it. */
export const SessionData = Schema.Record(Schema.String, Schema.Json)

export const SessionCreated = eventType(
  "SessionCreated",
  Schema.Struct({
    user: Schema.optionalKey(shortText(MAX_NAME_LENGTH)),
    agent: Schema.optionalKey(AgentId),
    data: SessionData,
    ttlMs: TtlMs,
    occurredAt: Schema.optionalKey(Moment)
  })
)

/** A sign of life. Data, where given, takes the place of the former. */
export const SessionTouched = eventType(
  "SessionTouched",
  Schema.Struct({ data: Schema.optionalKey(SessionData), occurredAt: Schema.optionalKey(Moment) })
)

/** Somebody ended it. */
export const SessionEnded = eventType(
  "SessionEnded",
  Schema.Struct({ occurredAt: Schema.optionalKey(Moment) })
)

/** Its time was over, at `expiredAt`; written down when somebody came to look. */
export const SessionExpired = eventType("SessionExpired", Schema.Struct({ expiredAt: Moment }))

export const SESSION_EVENTS = [SessionCreated, SessionTouched, SessionEnded, SessionExpired] as const
