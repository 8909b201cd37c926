/** When a metric is worth an alert. */
export interface Threshold {
  readonly metric: string
  readonly limit: number
}

/** An alert is over when the value is this share of the limit below it: a value that trembles at the limit is one alert. */
export const CLEAR_SHARE = 0.1

/** The value below which an alert is over. */
export const clearBelow = ({ limit }: Threshold): number => limit * (1 - CLEAR_SHARE)

/** What a value changed. */
export interface Verdict {
  readonly threshold: Threshold
  readonly change: "crossed" | "cleared"
}

/** Judges values against thresholds, with hysteresis: each crossing is told once, and so is its end. */
export class Thresholds {
  private readonly byMetric: ReadonlyMap<string, Threshold>
  private readonly open: Set<string>

  /** `open` names the metrics whose alerts were open before. */
  constructor(thresholds: Iterable<Threshold>, open: Iterable<string> = []) {
    this.byMetric = new Map([...thresholds].map((threshold) => [threshold.metric, threshold]))
    this.open = new Set([...open].filter((metric) => this.byMetric.has(metric)))
  }

  /** The metrics whose alerts are open. */
  get alerts(): ReadonlyArray<string> {
    return [...this.open]
  }

  judge(metric: string, value: number): Verdict | undefined {
    const threshold = this.byMetric.get(metric)
    if (threshold === undefined) return undefined
    if (!this.open.has(metric) && value >= threshold.limit) {
      this.open.add(metric)
      return { threshold, change: "crossed" }
    }
    if (this.open.has(metric) && value < clearBelow(threshold)) {
      this.open.delete(metric)
      return { threshold, change: "cleared" }
    }
    return undefined
  }

  /** Takes a verdict back that nobody could be told. */
  undo({ threshold: { metric }, change }: Verdict): void {
    if (change === "crossed") this.open.delete(metric)
    else this.open.add(metric)
  }
}
