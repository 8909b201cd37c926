import { Schema } from "effect"
import { eventType } from "../../src/log/event-type.ts"
import { Moment } from "../moment.ts"
import { Priority } from "../priority.ts"
import { HelpStatus } from "./life-cycle.ts"

/** The category of the streams of requests for help. */
export const HELP = "help"

export const helpStream = (request: string): string => `${HELP}-${request}`

/** It is pending then. */
export const HelpRequested = eventType(
  "HelpRequested",
  Schema.Struct({
    user: Schema.String,
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
    agent: Schema.optionalKey(Schema.String),
    occurredAt: Schema.optionalKey(Moment)
  })
)

export const HelpStatusChanged = eventType(
  "HelpStatusChanged",
  Schema.Struct({ status: HelpStatus, occurredAt: Schema.optionalKey(Moment) })
)

export const HELP_EVENTS = [HelpRequested, HelpAnswered, HelpStatusChanged] as const
