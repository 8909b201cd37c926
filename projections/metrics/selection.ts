import { Schema } from "effect"
import { AgentId } from "../agent-id.ts"

/** In characters. */
const MAX_LENGTH = 255

/** The name of a metric. */
export const MetricName = Schema.NonEmptyString.check(Schema.isMaxLength(MAX_LENGTH))

/** Which measurements a query is about: of an agent, of a metric, of so many hours up to now. */
export const Selection = {
  agent: Schema.optionalKey(AgentId),
  name: Schema.optionalKey(MetricName),
  hours: Schema.optionalKey(Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 100_000 })))
}
