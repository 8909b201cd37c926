import { Effect, Schema } from "effect"
import { uuid } from "../../src/base/uuid.ts"
import { NotAllowed, projectionError } from "../../src/projection/error.ts"
import { command, query } from "../../src/projection/operation.ts"
import { AgentId } from "../agent-id.ts"
import { GivenMoment, happened } from "../moment.ts"
import { DEFAULT_LIMIT, numbered, Page } from "../page.ts"
import { DEFAULT_PRIORITY, Priority } from "../priority.ts"
import { Recorded, recorded } from "../recorded.ts"
import { MAX_NAME_LENGTH, shortText } from "../short-text.ts"
import { ThingId } from "../thing-id.ts"
import { isOutrun } from "../outrun.ts"
import { decide } from "./deciding.ts"
import { HelpAnswered, HelpRequested, HelpStatusChanged, helpStream } from "./events.ts"
import { HelpStatus, isAnswerable, NEXT } from "./life-cycle.ts"

const READ = "help:read"
const WRITE = "help:write"

/** How many answers a request comes with. */
const MAX_RESPONSES = 1_000

const User = shortText(MAX_NAME_LENGTH)
const Confidence = Schema.Finite.check(Schema.isBetween({ minimum: 0, maximum: 1 }))

/** A request for help as it is now. */
export const HelpRequest = Schema.Struct({
  /** The position of its first event in the log. */
  id: Schema.Int,
  request: Schema.String,
  user: Schema.String,
  content: Schema.String,
  context: Schema.Json,
  status: HelpStatus,
  priority: Schema.String,
  /** How many there are. */
  answers: Schema.Int,
  createdAt: Schema.Date,
  updatedAt: Schema.Date,
  closedAt: Schema.NullOr(Schema.Date),
  occurredAt: Schema.NullOr(Schema.Date),
  recordedAt: Schema.Date
})
export type HelpRequest = typeof HelpRequest.Type

export const HelpResponse = Schema.Struct({
  /** Its position in the log. */
  id: Schema.Int,
  response: Schema.String,
  content: Schema.String,
  /** From 0 to 1; null where it was not said. */
  confidence: Schema.NullOr(Schema.Finite),
  sources: Schema.NullOr(Schema.Array(Schema.Json)),
  agent: Schema.NullOr(Schema.String),
  generatedAt: Schema.Date,
  occurredAt: Schema.NullOr(Schema.Date),
  recordedAt: Schema.Date
})
export type HelpResponse = typeof HelpResponse.Type

/** A request with its answers in the order in which they were given: the last 1 000. */
export const AnsweredHelpRequest = Schema.Struct({
  ...HelpRequest.fields,
  responses: Schema.Array(HelpResponse)
})
export type AnsweredHelpRequest = typeof AnsweredHelpRequest.Type

const ASK = "help.ask"
const ANSWER = "help.answer"
const SET_STATUS = "help.setStatus"
const CLOSE = "help.close"
const REOPEN = "help.reopen"

export const ask = command({
  name: ASK,
  description:
    "Asks for help, under an id of the caller's or a new one, which it says. NotAllowed where a request of this id was made before.",
  scope: WRITE,
  input: Schema.Struct({
    request: Schema.optionalKey(ThingId),
    user: User,
    content: Schema.NonEmptyString,
    context: Schema.optionalKey(Schema.Json),
    priority: Schema.optionalKey(Priority),
    occurredAt: Schema.optionalKey(GivenMoment)
  }),
  output: Schema.Struct({ ...Recorded.fields, request: Schema.String }),
  example: { user: "ada", content: "Why does billing-7 not answer?", context: { agent: "billing-7" } },
  run: (given, { emit }) => {
    const { request = uuid(), priority = DEFAULT_PRIORITY, occurredAt, ...asked } = given
    const event = HelpRequested.make(
      { ...asked, priority },
      { ...happened(occurredAt), meta: { actor: asked.user } }
    )
    const taken = new NotAllowed({
      operation: ASK,
      subject: `help request ${JSON.stringify(request)}`,
      status: "made already",
      allowed: [ANSWER, SET_STATUS, `${ASK} with another id`]
    })
    return emit(helpStream(request), event, { expected: "none" }).pipe(
      Effect.mapError((error) => (isOutrun(error) ? projectionError(taken) : error)),
      Effect.map((appended) => ({ ...recorded(appended), request }))
    )
  }
})

export const answer = command({
  name: ANSWER,
  description:
    "Answers a request, which is answered then; it says the id of the answer. NotFound where there is no such request, NotAllowed where it is closed.",
  scope: WRITE,
  input: Schema.Struct({
    request: ThingId,
    content: Schema.NonEmptyString,
    confidence: Schema.optionalKey(Confidence),
    sources: Schema.optionalKey(Schema.Array(Schema.Json)),
    agent: Schema.optionalKey(AgentId),
    occurredAt: Schema.optionalKey(GivenMoment)
  }),
  output: Schema.Struct({ ...Recorded.fields, response: Schema.String }),
  example: {
    request: "ticket-42",
    content: "It waits for its queue.",
    confidence: 0.9,
    sources: ["docs/queues"],
    agent: "helper-1"
  },
  run: ({ request, occurredAt, ...said }, context) => {
    const meta = said.agent === undefined ? {} : { meta: { actor: said.agent } }
    const event = HelpAnswered.make(said, { ...happened(occurredAt), ...meta })
    return Effect.map(decide(ANSWER, request, isAnswerable, event, context), (appended) => ({
      ...recorded(appended),
      response: appended.events[0]!.id
    }))
  }
})

const Reasoned = {
  request: ThingId,
  reason: Schema.optionalKey(Schema.NonEmptyString),
  occurredAt: Schema.optionalKey(GivenMoment)
}
type Reasoned = Schema.Struct.Type<typeof Reasoned>

/** What becomes of a request by one of the commands that change its status. */
const becoming =
  (operation: string) =>
  ({ request, reason, occurredAt }: Reasoned, status: HelpStatus, context: Parameters<typeof decide>[4]) => {
    const meta = reason === undefined ? {} : { meta: { reason } }
    const event = HelpStatusChanged.make({ status }, { ...happened(occurredAt), ...meta })
    const isAllowed = (before: HelpStatus): boolean => NEXT[before].includes(status)
    return Effect.map(decide(operation, request, isAllowed, event, context), recorded)
  }

export const setStatus = command({
  name: SET_STATUS,
  description:
    "Puts a request into another status; of several that take the same request into work, one succeeds. NotFound where there is none, NotAllowed where its status does not lead there.",
  scope: WRITE,
  input: Schema.Struct({ ...Reasoned, status: HelpStatus }),
  output: Recorded,
  example: { request: "ticket-42", status: "in_progress" },
  run: ({ status, ...given }, context) => becoming(SET_STATUS)(given, status, context)
})

export const close = command({
  name: CLOSE,
  description: "Closes a request. NotFound where there is none, NotAllowed where it is closed.",
  scope: WRITE,
  input: Schema.Struct(Reasoned),
  output: Recorded,
  example: { request: "ticket-42", reason: "solved" },
  run: (given, context) => becoming(CLOSE)(given, "closed", context)
})

export const reopen = command({
  name: REOPEN,
  description: "Makes a request pending again. NotFound where there is none, NotAllowed where it is pending.",
  scope: WRITE,
  input: Schema.Struct(Reasoned),
  output: Recorded,
  example: { request: "ticket-42", reason: "the answer was wrong" },
  run: (given, context) => becoming(REOPEN)(given, "pending", context)
})

export const get = query({
  name: "help.get",
  description: "One request as it is now, with its answers; null where there is none of this id.",
  scope: READ,
  input: Schema.Struct({ request: ThingId }),
  output: Schema.NullOr(AnsweredHelpRequest),
  example: { request: "ticket-42" },
  run: Effect.fnUntraced(function* ({ request }, context) {
    const [row] = numbered(yield* context.query<HelpRequest>("#projections/help/get.sql", [request]))
    if (row === undefined) return null
    const values = [request, MAX_RESPONSES]
    return {
      ...row,
      responses: numbered(yield* context.query<HelpResponse>("#projections/help/responses.sql", values))
    }
  })
})

export const list = query({
  name: "help.list",
  description: "Requests, the newest first: all, or those in a status, of a user, of a priority.",
  scope: READ,
  input: Schema.Struct({
    status: Schema.optionalKey(HelpStatus),
    user: Schema.optionalKey(User),
    priority: Schema.optionalKey(Priority),
    ...Page
  }),
  output: Schema.Array(HelpRequest),
  example: { status: "pending", priority: "high" },
  run: ({ status = null, user = null, priority = null, limit = DEFAULT_LIMIT, before = null }, context) =>
    Effect.map(
      context.query<HelpRequest>("#projections/help/list.sql", [status, user, priority, limit, before], {
        planned: "anew"
      }),
      numbered
    )
})
