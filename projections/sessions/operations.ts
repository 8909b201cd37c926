import { Effect, Schema } from "effect"
import { uuid } from "../../src/base/uuid.ts"
import { NotAllowed, projectionError } from "../../src/projection/error.ts"
import { command, query } from "../../src/projection/operation.ts"
import { AgentId } from "../agent-id.ts"
import { FleetDefaults } from "../defaults.ts"
import { GivenMoment, happened } from "../moment.ts"
import { isOutrun } from "../outrun.ts"
import { DEFAULT_LIMIT, numbered, Page } from "../page.ts"
import { Recorded, recorded } from "../recorded.ts"
import { MAX_NAME_LENGTH, shortText } from "../short-text.ts"
import { ThingId } from "../thing-id.ts"
import { decide } from "./deciding.ts"
import { SessionCreated, SessionData, SessionEnded, sessionStream, SessionTouched } from "./events.ts"
import { expireDue } from "./expiring.ts"
import { DEFAULT_TTL_MS, SessionStatus, TOUCH_SHARE, TtlMs } from "./life-cycle.ts"

const READ = "sessions:read"
const WRITE = "sessions:write"

/** How many sessions one call expires. */
const DEFAULT_EXPIRED = 500
const MAX_EXPIRED = 10_000

const User = shortText(MAX_NAME_LENGTH)

/** A session of a user, of an agent, or of both, as it is at the moment of the question. */
export const Session = Schema.Struct({
  /** The position of its first event in the log. */
  id: Schema.Int,
  session: Schema.String,
  user: Schema.NullOr(Schema.String),
  agent: Schema.NullOr(Schema.String),
  data: SessionData,
  /** `expired` from the moment on at which its time is over, whether an event says so by now or not. */
  status: SessionStatus,
  /** How long it lasts after its last sign of life. */
  ttlMs: Schema.Int,
  createdAt: Schema.Date,
  /** When its last sign of life was recorded. */
  touchedAt: Schema.Date,
  expiresAt: Schema.Date,
  endedAt: Schema.NullOr(Schema.Date),
  occurredAt: Schema.NullOr(Schema.Date),
  recordedAt: Schema.Date
})
export type Session = typeof Session.Type

interface SessionAnswer extends Omit<Session, "ttlMs"> {
  readonly ttlMs: string
}

const sessionsOf = (rows: ReadonlyArray<SessionAnswer>): ReadonlyArray<Session> =>
  numbered(rows).map((row) => ({ ...row, ttlMs: Number(row.ttlMs) }))

const CREATE = "sessions.create"
const TOUCH = "sessions.touch"
const END = "sessions.end"

export const create = command({
  name: CREATE,
  description:
    "Begins a session of a user, an agent or both, under an id of the caller's or a new one, which it says. It lasts for ttlMs, a day unless the engine is configured otherwise, after its last sign of life. NotAllowed where a session of this id was created before.",
  scope: WRITE,
  input: Schema.Struct({
    session: Schema.optionalKey(ThingId),
    user: Schema.optionalKey(User),
    agent: Schema.optionalKey(AgentId),
    data: Schema.optionalKey(SessionData),
    ttlMs: Schema.optionalKey(TtlMs),
    occurredAt: Schema.optionalKey(GivenMoment)
  }).check(
    Schema.makeFilter(
      ({ user, agent }) => user !== undefined || agent !== undefined || "give a user, an agent, or both"
    )
  ),
  output: Schema.Struct({ ...Recorded.fields, session: Schema.String }),
  example: { user: "ada", agent: "billing-7", data: { context: "conversation" } },
  run: Effect.fnUntraced(function* (given, { emit }) {
    const { sessionTtlMs = DEFAULT_TTL_MS } = yield* FleetDefaults
    const { session = uuid(), data = {}, ttlMs = sessionTtlMs, occurredAt, ...whose } = given
    const { user, agent } = whose
    const actor = user ?? agent!
    const event = SessionCreated.make({ ...whose, data, ttlMs }, { ...happened(occurredAt), meta: { actor } })
    const taken = new NotAllowed({
      operation: CREATE,
      subject: `session ${JSON.stringify(session)}`,
      status: "created already",
      allowed: [TOUCH, END, `${CREATE} with another id`]
    })
    const appended = yield* emit(sessionStream(session), event, { expected: "none" }).pipe(
      Effect.mapError((error) => (isOutrun(error) ? projectionError(taken) : error))
    )
    return { ...recorded(appended), session }
  })
})

export const touch = command({
  name: TOUCH,
  description:
    "Records that a session is in use: it lasts its whole TTL from now on. Data, where given, takes the place of the former. Null where nothing is recorded: without data, while the last sign of life is younger than a twentieth of the TTL. NotFound where there is no such session, NotAllowed where it is over.",
  scope: WRITE,
  input: Schema.Struct({
    session: ThingId,
    data: Schema.optionalKey(SessionData),
    occurredAt: Schema.optionalKey(GivenMoment)
  }),
  output: Schema.NullOr(Recorded),
  example: { session: "login-42", data: { context: "checkout" } },
  run: ({ session, occurredAt, ...said }, context) =>
    Effect.map(
      decide(
        TOUCH,
        session,
        ({ touched_at, ttl_ms }, now) =>
          said.data === undefined && now.getTime() - touched_at.getTime() < Number(ttl_ms) * TOUCH_SHARE
            ? undefined
            : SessionTouched.make(said, happened(occurredAt)),
        context
      ),
      (appended) => (appended === undefined ? null : recorded(appended))
    )
})

export const end = command({
  name: END,
  description:
    "Ends a session for good. NotFound where there is no such session, NotAllowed where it is over.",
  scope: WRITE,
  input: Schema.Struct({
    session: ThingId,
    reason: Schema.optionalKey(Schema.NonEmptyString),
    occurredAt: Schema.optionalKey(GivenMoment)
  }),
  output: Recorded,
  example: { session: "login-42", reason: "signed out" },
  run: ({ session, reason, occurredAt }, context) => {
    const meta = reason === undefined ? {} : { meta: { reason } }
    const event = SessionEnded.make({}, { ...happened(occurredAt), ...meta })
    return Effect.map(
      decide(END, session, () => event, context),
      (appended) => recorded(appended!)
    )
  }
})

export const expire = command({
  name: "sessions.expire",
  description:
    "Records of sessions whose time is over that it is, of 500 at most or so many, by an event each: once per session, also where several do so at once. Every engine that keeps read models does so now and then; nothing is read differently by it.",
  scope: WRITE,
  input: Schema.Struct({
    limit: Schema.optionalKey(Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: MAX_EXPIRED })))
  }),
  /** Those that this call has recorded, and whether there may be more. */
  output: Schema.Struct({ sessions: Schema.Array(Schema.String), more: Schema.Boolean }),
  example: { limit: 100 },
  run: ({ limit = DEFAULT_EXPIRED }, context) => expireDue(limit, context)
})

export const get = query({
  name: "sessions.get",
  description: "One session as it is now; null where there is none of this id.",
  scope: READ,
  input: Schema.Struct({ session: ThingId }),
  output: Schema.NullOr(Session),
  example: { session: "login-42" },
  run: ({ session }, context) =>
    Effect.map(
      context.query<SessionAnswer>("#projections/sessions/get.sql", [session]),
      (rows) => sessionsOf(rows)[0] ?? null
    )
})

export const list = query({
  name: "sessions.list",
  description: "Sessions, the newest first: all, or those of a user, of an agent, in a status.",
  scope: READ,
  input: Schema.Struct({
    user: Schema.optionalKey(User),
    agent: Schema.optionalKey(AgentId),
    status: Schema.optionalKey(SessionStatus),
    ...Page
  }),
  output: Schema.Array(Session),
  example: { user: "ada", status: "active" },
  run: ({ status = null, user = null, agent = null, limit = DEFAULT_LIMIT, before = null }, context) =>
    Effect.map(
      context.query<SessionAnswer>("#projections/sessions/list.sql", [status, user, agent, limit, before], {
        planned: "anew"
      }),
      sessionsOf
    )
})
