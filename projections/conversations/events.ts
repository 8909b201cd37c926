import { Schema } from "effect"
import { eventType } from "../../src/log/event-type.ts"
import { Moment } from "../moment.ts"
import { Cost } from "./cost.ts"

/** The category of the streams of conversations with language models. */
export const CONVERSATION = "conversation"

export const conversationStream = (conversation: string): string => `${CONVERSATION}-${conversation}`

export const ExchangeRecorded = eventType(
  "ExchangeRecorded",
  Schema.Struct({
    prompt: Schema.String,
    response: Schema.optionalKey(Schema.String),
    agent: Schema.optionalKey(Schema.String),
    model: Schema.optionalKey(Schema.String),
    provider: Schema.optionalKey(Schema.String),
    promptTokens: Schema.optionalKey(Schema.Int),
    responseTokens: Schema.optionalKey(Schema.Int),
    tokens: Schema.optionalKey(Schema.Int),
    cost: Schema.optionalKey(Cost),
    durationMs: Schema.optionalKey(Schema.Int),
    metadata: Schema.optionalKey(Schema.Record(Schema.String, Schema.Json)),
    occurredAt: Schema.optionalKey(Moment)
  })
)
