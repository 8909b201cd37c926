import { Context } from "effect"
import { HEARTBEAT } from "../../../projections/heartbeats/events.ts"
import { METRIC } from "../../../projections/metrics/events.ts"
import { SYSTEM_LOG } from "../../../projections/system-events/events.ts"

/** For how long heartbeats, measurements and system events below WARNING are kept, in days, unless configured. */
export const DEFAULT_KEPT_DAYS = 30

/** What is kept for ever. */
export const FOR_EVER = 0

export const MAX_KEPT_DAYS = 36_500

export const DAY_MS = 86_400_000

/** How long telemetry is kept, in days; 0 for ever. */
export interface KeptDays {
  readonly heartbeatDays?: number
  readonly metricDays?: number
  readonly systemLogDays?: number
  /** Telemetry of all other categories. */
  readonly telemetryDays?: number
}

/** What an engine was configured with. */
export interface RetentionPolicy extends KeptDays {
  /** Where archives go; undefined where nothing is archived. */
  readonly archiveDirectory?: string
}

export const RetentionPolicy = Context.Reference<RetentionPolicy>("tidemark/engine/RetentionPolicy", {
  defaultValue: () => ({})
})

/** For how many days the telemetry of a category is kept; 0 for ever. */
export const keptDaysOf = (
  category: string,
  { heartbeatDays, metricDays, systemLogDays, telemetryDays }: KeptDays
): number => {
  switch (category) {
    case HEARTBEAT:
      return heartbeatDays ?? DEFAULT_KEPT_DAYS
    case METRIC:
      return metricDays ?? DEFAULT_KEPT_DAYS
    case SYSTEM_LOG:
      return systemLogDays ?? DEFAULT_KEPT_DAYS
    default:
      return telemetryDays ?? FOR_EVER
  }
}

/** The setting that says how long a category is kept. */
export const settingOf = (category: string): keyof KeptDays => {
  switch (category) {
    case HEARTBEAT:
      return "heartbeatDays"
    case METRIC:
      return "metricDays"
    case SYSTEM_LOG:
      return "systemLogDays"
    default:
      return "telemetryDays"
  }
}

/** What is wrong with some days, or undefined. */
export const daysProblem = ({
  heartbeatDays,
  metricDays,
  systemLogDays,
  telemetryDays
}: KeptDays): string | undefined => {
  for (const [name, value] of Object.entries({ heartbeatDays, metricDays, systemLogDays, telemetryDays })) {
    if (value === undefined) continue
    if (!Number.isSafeInteger(value) || value < FOR_EVER || value > MAX_KEPT_DAYS)
      return `${name} is ${value}: give whole days from 1 to ${MAX_KEPT_DAYS}, or 0 to keep all for ever`
  }
  return undefined
}
