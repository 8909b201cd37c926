import { Schema } from "effect"
import { eventType } from "../../src/log/event-type.ts"
import { Moment } from "../moment.ts"

/** The category of the streams in which the watchdog says how agents are. */
export const HEALTH = "health"

export const healthStream = (agent: string): string => `${HEALTH}-${agent}`

/** Upon what it was judged. */
const Judged = {
  intervalMs: Schema.Int,
  /** The position of the last sign of life that was known then: a later one makes the agent recover. */
  heard: Schema.Int,
  lastBeatAt: Schema.NullOr(Moment)
}

/** It has missed two beats. */
export const AgentRanLate = eventType("AgentRanLate", Schema.Struct({ ...Judged, missed: Schema.Int }))

/** It was late, and has missed three beats by now. */
export const AgentLost = eventType("AgentLost", Schema.Struct({ ...Judged, missed: Schema.Int }))

/** It was late or lost, and gave a sign of life. */
export const AgentRecovered = eventType(
  "AgentRecovered",
  Schema.Struct({ ...Judged, was: Schema.Literals(["late", "lost"]) })
)

export const HEALTH_EVENTS = [AgentRanLate, AgentLost, AgentRecovered] as const

/** For subscriptions to some of them. */
export const healthLabels = (health: "late" | "lost" | "healthy"): ReadonlyArray<string> => [
  `health:${health}`
]
