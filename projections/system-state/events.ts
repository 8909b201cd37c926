import { Schema } from "effect"
import { eventType } from "../../src/log/event-type.ts"
import { Moment } from "../moment.ts"

export const SystemStateSet = eventType(
  "SystemStateSet",
  Schema.Struct({
    key: Schema.String,
    value: Schema.Json,
    occurredAt: Schema.optionalKey(Moment)
  })
)

export const SystemStateRemoved = eventType(
  "SystemStateRemoved",
  Schema.Struct({
    key: Schema.String,
    occurredAt: Schema.optionalKey(Moment)
  })
)
