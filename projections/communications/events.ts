import { Schema } from "effect"
import { uuidOf } from "../../src/base/uuid.ts"
import { eventType } from "../../src/log/event-type.ts"
import { AgentId } from "../agent-id.ts"
import { Moment } from "../moment.ts"
import { Priority } from "../priority.ts"
import { MAX_NAME_LENGTH, shortText } from "../short-text.ts"

/** The category of the streams of what is sent to one agent, and of what that agent acknowledges. */
export const INBOX = "inbox"

/** The stream of what is sent to all. It is in a category of its own, since an agent may have any name. */
export const BROADCAST = "broadcast-all"

export const inboxStream = (agent: string): string => `${INBOX}-${agent}`

export const MessageSent = eventType(
  "MessageSent",
  Schema.Struct({
    from: AgentId,
    type: shortText(MAX_NAME_LENGTH),
    content: Schema.Json,
    priority: Priority,
    replyTo: Schema.optionalKey(Schema.String.check(Schema.isUUID())),
    occurredAt: Schema.optionalKey(Moment)
  })
)

export const MessageAcknowledged = eventType(
  "MessageAcknowledged",
  Schema.Struct({ message: Schema.String.check(Schema.isUUID()) })
)

/** The id of the one event that says that an agent has acknowledged a message, so that saying it again says nothing new. */
export const acknowledgementId = (agent: string, message: string): string =>
  uuidOf([message, agent].join("\n"))
