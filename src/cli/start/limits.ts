import { InvalidArgumentError } from "commander"
import type { Metric } from "./machine.ts"
import type { Threshold } from "./threshold.ts"

/** When a metric is worth an alert, unless told otherwise: a processor that is all but full, a disk that soon is. */
const DEFAULT_LIMITS: Readonly<Record<Metric, number>> = {
  cpu: 90,
  load: 2,
  memory: 90,
  disk: 90,
  loop_delay: 100
}

export const DEFAULT_THRESHOLDS: ReadonlyArray<Threshold> = Object.entries(DEFAULT_LIMITS).map(
  ([metric, limit]) => ({ metric, limit })
)

const threshold = (text: string): Threshold => {
  const [metric = "", limitText = "", ...rest] = text.split("=").map((part) => part.trim())
  const limit = Number(limitText)
  if (rest.length > 0 || limitText === "" || !Number.isFinite(limit) || limit <= 0) {
    throw new InvalidArgumentError(`Give <metric>=<limit>, such as cpu=80, with a limit above 0.`)
  }
  if (!Object.hasOwn(DEFAULT_LIMITS, metric)) {
    throw new InvalidArgumentError(
      `There is no metric "${metric}": name one of ${Object.keys(DEFAULT_LIMITS).join(", ")}.`
    )
  }
  return { metric, limit }
}

/** Replaces limits; the others stay as they were. */
export const thresholds = (
  text: string,
  before: ReadonlyArray<Threshold> = DEFAULT_THRESHOLDS
): ReadonlyArray<Threshold> => {
  const changed = new Map(text.split(",").map((part) => [threshold(part).metric, threshold(part)]))
  return before.map((one) => changed.get(one.metric) ?? one)
}
