import { Schema } from "effect"
import { eventType } from "../../src/log/event-type.ts"
import { AgentId } from "../agent-id.ts"
import { Moment } from "../moment.ts"
import { MAX_NAME_LENGTH, shortText } from "../short-text.ts"
import { Cost } from "./cost.ts"

/** The category of the streams of conversations with language models. */
export const CONVERSATION = "conversation"

export const conversationStream = (conversation: string): string => `${CONVERSATION}-${conversation}`

/** The greatest count that its column holds. */
const MAX_COUNT = 2_147_483_647

export const Count = Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: MAX_COUNT }))

export const ExchangeRecorded = eventType(
  "ExchangeRecorded",
  Schema.Struct({
    prompt: Schema.String,
    response: Schema.optionalKey(Schema.String),
    agent: Schema.optionalKey(AgentId),
    model: Schema.optionalKey(shortText(MAX_NAME_LENGTH)),
    provider: Schema.optionalKey(Schema.String),
    promptTokens: Schema.optionalKey(Count),
    responseTokens: Schema.optionalKey(Count),
    tokens: Schema.optionalKey(Schema.Int.check(Schema.isGreaterThanOrEqualTo(0))),
    cost: Schema.optionalKey(Cost),
    durationMs: Schema.optionalKey(Count),
    metadata: Schema.optionalKey(Schema.Record(Schema.String, Schema.Json)),
    occurredAt: Schema.optionalKey(Moment)
  })
)
