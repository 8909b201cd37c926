import { Schema } from "effect"

/** How often an agent beats that does not say otherwise, in ms. */
export const DEFAULT_INTERVAL_MS = 60_000

/** The least and the longest interval that an agent may promise, in ms: a tenth of a second, and a week. */
export const MIN_INTERVAL_MS = 100
export const MAX_INTERVAL_MS = 604_800_000

/** So many beats missed one after the other make an agent late; for one that beats each minute that is 120 s … */
export const LATE_AFTER_MISSED = 2

/** … and so many make it lost. */
export const LOST_AFTER_MISSED = 3

/** How often an agent promises to beat, in ms. */
export const IntervalMs = Schema.Int.check(
  Schema.isBetween({ minimum: MIN_INTERVAL_MS, maximum: MAX_INTERVAL_MS })
)

/** How an agent is, as far as is known. */
export const HealthState = Schema.Literals(["healthy", "late", "lost", "unknown"])
export type HealthState = typeof HealthState.Type
