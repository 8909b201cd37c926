import { Schema } from "effect"
import { eventType } from "../../src/log/event-type.ts"
import { AgentId } from "../agent-id.ts"
import { Moment } from "../moment.ts"
import { Priority } from "../priority.ts"
import { MAX_NAME_LENGTH, shortText } from "../short-text.ts"
import { HelpStatus } from "./life-cycle.ts"

/** The category of the streams of requests for help. */
export const HELP = "help"

export const helpStream = (request: string): string => `${HELP}-${request}`

/** It is pending then. */
export const HelpRequested = eventType(
  "HelpRequested",
  Schema.Struct({
    user: shortText(MAX_NAME_LENGTH),
    content: Schema.String,
    context: Schema.optionalKey(Schema.Json),
    priority: Priority,
    occurredAt: Schema.optionalKey(Moment)
  })
)

/** The request is answered then, whatever it was. */
export const HelpAnswered = eventType(
  "HelpAnswered",
  Schema.Struct({
    content: Schema.String,
    confidence: Schema.optionalKey(Schema.Finite),
    sources: Schema.optionalKey(Schema.Array(Schema.Json)),
    agent: Schema.optionalKey(AgentId),
    occurredAt: Schema.optionalKey(Moment)
  })
)

export const HelpStatusChanged = eventType(
  "HelpStatusChanged",
  Schema.Struct({ status: HelpStatus, occurredAt: Schema.optionalKey(Moment) })
)

export const HELP_EVENTS = [HelpRequested, HelpAnswered, HelpStatusChanged] as const
