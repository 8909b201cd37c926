import { Effect, Schema } from "effect"
import { NotFound, projectionError } from "../../src/projection/error.ts"
import { command, type OperationContext, query } from "../../src/projection/operation.ts"
import { AgentId } from "../agent-id.ts"
import { GivenMoment, happened } from "../moment.ts"
import { DEFAULT_LIMIT, numbered, Page } from "../page.ts"
import { DEFAULT_PRIORITY, Priority } from "../priority.ts"
import { Recorded, recorded } from "../recorded.ts"
import { shortText } from "../short-text.ts"
import { acknowledgementId, BROADCAST, inboxStream, MessageAcknowledged, MessageSent } from "./events.ts"

const READ = "communications:read"
const WRITE = "communications:write"

/** The type of a message that does not say another one. */
const MESSAGE = "message"

/** How many messages one call acknowledges; each is an event. */
const MAX_ACKNOWLEDGED = 1_000

/** How many of those who have acknowledged a message its status names. */
const MAX_NAMED = 1_000

/** In characters. */
const MAX_TYPE_LENGTH = 100

const MessageId = Schema.String.check(Schema.isUUID())
const MessageType = shortText(MAX_TYPE_LENGTH)

const Said = {
  from: AgentId,
  type: Schema.optionalKey(MessageType),
  content: Schema.Json,
  priority: Schema.optionalKey(Priority),
  replyTo: Schema.optionalKey(MessageId),
  occurredAt: Schema.optionalKey(GivenMoment)
}

const Sent = {
  /** Its position in the log. */
  id: Schema.Int,
  message: Schema.String,
  from: Schema.String,
  /** Null where it went to all. */
  to: Schema.NullOr(Schema.String),
  type: Schema.String,
  content: Schema.Json,
  priority: Schema.String,
  /** The message that it answers. */
  replyTo: Schema.NullOr(Schema.String),
  /** When it was sent by the sender's clock, where it said so; else when it was recorded. */
  timestamp: Schema.Date,
  occurredAt: Schema.NullOr(Schema.Date),
  recordedAt: Schema.Date
}

const MessageStatus = Schema.Literals(["sent", "acknowledged"])

/** A message, whoever it went to. */
export const Message = Schema.Struct({
  ...Sent,
  /** One to all stays `sent`. */
  status: MessageStatus,
  /** How many agents have acknowledged it. */
  acknowledgements: Schema.Int
})
export type Message = typeof Message.Type

/** A message as one of those has it whom it went to. */
export const Received = Schema.Struct({
  ...Sent,
  /** When this agent acknowledged it; null where it is unread. */
  acknowledgedAt: Schema.NullOr(Schema.Date)
})
export type Received = typeof Received.Type

export const MessageStanding = Schema.Struct({
  message: Schema.String,
  from: Schema.String,
  to: Schema.NullOr(Schema.String),
  status: MessageStatus,
  acknowledgements: Schema.Int,
  /** Those agents, the first to do so first; 1 000 at most. */
  acknowledgedBy: Schema.Array(Schema.String),
  timestamp: Schema.Date
})
export type MessageStanding = typeof MessageStanding.Type

export const send = command({
  name: "communications.send",
  description:
    "Sends a message to an agent, or to all with `all: true`; it says the id that the message got.",
  scope: WRITE,
  input: Schema.Union([
    Schema.Struct({ ...Said, to: AgentId }),
    Schema.Struct({ ...Said, all: Schema.Literal(true) })
  ]),
  output: Schema.Struct({ ...Recorded.fields, message: Schema.String }),
  example: { from: "planner-1", to: "billing-7", type: "task", content: { invoice: 42 }, priority: "high" },
  run: (given, { emit }) => {
    const { from, type = MESSAGE, content, priority = DEFAULT_PRIORITY, replyTo, occurredAt } = given
    const data = { from, type, content, priority, ...(replyTo === undefined ? {} : { replyTo }) }
    const event = MessageSent.make(data, { ...happened(occurredAt), meta: { actor: from } })
    return Effect.map(emit("to" in given ? inboxStream(given.to) : BROADCAST, event), (sent) => ({
      ...recorded(sent),
      message: sent.events[0]!.id
    }))
  }
})

export const inbox = query({
  name: "communications.inbox",
  description: "What was sent to an agent and to all, the newest first; on request only what is unread.",
  scope: READ,
  input: Schema.Struct({ agent: AgentId, unread: Schema.optionalKey(Schema.Boolean), ...Page }),
  output: Schema.Array(Received),
  example: { agent: "billing-7", unread: true },
  run: ({ agent, unread: isUnread = false, limit = DEFAULT_LIMIT, before = null }, context) =>
    Effect.map(
      context.query<Received>(
        isUnread ? "#projections/communications/inbox-unread.sql" : "#projections/communications/inbox.sql",
        [agent, limit, before]
      ),
      numbered
    )
})

export const unread = query({
  name: "communications.unread",
  description: "How many messages to an agent or to all it has not acknowledged.",
  scope: READ,
  input: Schema.Struct({ agent: AgentId }),
  output: Schema.Int,
  example: { agent: "billing-7" },
  run: ({ agent }, context) =>
    Effect.map(
      context.query<{ readonly unread: number }>("#projections/communications/unread.sql", [agent]),
      ([row]) => row!.unread
    )
})

const ACKNOWLEDGE = "communications.acknowledge"

/** Fails with NotFound where some of these messages went to neither this agent nor all. */
const received = Effect.fnUntraced(function* (
  agent: string,
  messages: ReadonlyArray<string>,
  { query: ask }: OperationContext
) {
  const streams = [inboxStream(agent), BROADCAST]
  const found = yield* ask<{ readonly message: string; readonly stream: string }>(
    "#projections/communications/streams.sql",
    [messages]
  )
  const own = new Set(found.filter(({ stream }) => streams.includes(stream)).map(({ message }) => message))
  const ids = messages.filter((message) => !own.has(message))
  if (ids.length === 0) return
  return yield* projectionError(
    new NotFound({
      operation: ACKNOWLEDGE,
      thing: "message to this agent or to all",
      ids,
      next: `take the messages of communications.inbox for ${JSON.stringify(agent)}`
    })
  )
})

export const acknowledge = command({
  name: ACKNOWLEDGE,
  description:
    "Records that an agent has acknowledged a message, or several; doing it again changes nothing. NotFound, and none of them is acknowledged, where one went neither to this agent nor to all.",
  scope: WRITE,
  input: Schema.Struct({
    agent: AgentId,
    message: Schema.Union([
      MessageId,
      Schema.NonEmptyArray(MessageId).check(Schema.isMaxLength(MAX_ACKNOWLEDGED))
    ])
  }),
  output: Recorded,
  example: { agent: "billing-7", message: "01890a5d-ac96-774b-bcce-b302099a8057" },
  run: Effect.fnUntraced(function* ({ agent, message }, context) {
    const given = typeof message === "string" ? [message] : message
    const messages = [...new Set(given.map((id) => id.toLowerCase()))]
    yield* received(agent, messages, context)
    // Each in an append of its own: what is the same append may be repeated, and others may have acknowledged some of them.
    const all = yield* Effect.forEach(
      messages,
      (id) =>
        context.emit(
          inboxStream(agent),
          MessageAcknowledged.make({ message: id }, { id: acknowledgementId(agent, id) })
        ),
      { concurrency: "unbounded" }
    )
    return recorded(all.reduce((last, one) => (one.position > last.position ? one : last)))
  })
})

export const status = query({
  name: "communications.status",
  description: "How a message stands, and who has acknowledged it; null where there is none of this id.",
  scope: READ,
  input: Schema.Struct({ message: MessageId }),
  output: Schema.NullOr(MessageStanding),
  example: { message: "01890a5d-ac96-774b-bcce-b302099a8057" },
  run: ({ message }, context) =>
    Effect.map(
      context.query<MessageStanding>("#projections/communications/status.sql", [message, MAX_NAMED]),
      ([row]) => row ?? null
    )
})

export const list = query({
  name: "communications.list",
  description: "Messages, the newest first: of all, or from an agent, to one, of a type, in reply to one.",
  scope: READ,
  input: Schema.Struct({
    from: Schema.optionalKey(AgentId),
    to: Schema.optionalKey(AgentId),
    type: Schema.optionalKey(MessageType),
    replyTo: Schema.optionalKey(MessageId),
    ...Page
  }),
  output: Schema.Array(Message),
  example: { from: "planner-1", type: "task" },
  run: (
    { from = null, to = null, type = null, replyTo = null, limit = DEFAULT_LIMIT, before = null },
    context
  ) =>
    Effect.map(
      context.query<Message>(
        "#projections/communications/list.sql",
        [from, to, type, replyTo, limit, before],
        { planned: "anew" }
      ),
      numbered
    )
})
