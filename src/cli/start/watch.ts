import type { Engine, Event, Subscription } from "../../index.ts"
import type { Agent } from "./agent.ts"
import type { Measure } from "./machine.ts"
import { MEASUREMENT, measureOf } from "./reports.ts"
import type { Tally } from "./tally.ts"
import { clearBelow, type Threshold, Thresholds, type Verdict } from "./threshold.ts"

export const CROSSED = "ThresholdCrossed"
export const CLEARED = "ThresholdCleared"

/** How far back the alerts of the run before are looked for, in events. */
const LAST_ALERTS = 100

/** Watches the measurements of one agent and emits an alert where a threshold is crossed, and another when it is over. */
export class Watch {
  private readonly engine: Engine
  private readonly agent: Agent
  private readonly tally: Tally
  private readonly watched: string
  private readonly limits: ReadonlyArray<Threshold>
  private readonly onTrouble: (error: unknown) => void
  private thresholds: Thresholds
  private subscription: Subscription | undefined

  constructor(options: {
    readonly engine: Engine
    readonly agent: Agent
    readonly tally: Tally
    readonly watched: string
    readonly limits: ReadonlyArray<Threshold>
    /** Hears why an alert could not be told; the next measurement tries again. */
    readonly onTrouble: (error: unknown) => void
  }) {
    this.engine = options.engine
    this.agent = options.agent
    this.tally = options.tally
    this.watched = options.watched
    this.limits = options.limits
    this.onTrouble = options.onTrouble
    this.thresholds = new Thresholds(this.limits)
  }

  get agentId(): string {
    return this.agent.id
  }

  /** The metrics over their thresholds now. */
  get alerts(): ReadonlyArray<string> {
    return this.thresholds.alerts
  }

  /** Rejects when the watch failed; resolves when it was ended. */
  get done(): Promise<void> {
    return this.subscription?.done ?? Promise.resolve()
  }

  async begin(): Promise<void> {
    this.thresholds = new Thresholds(this.limits, await this.openBefore())
    const limits = Object.fromEntries(this.limits.map(({ metric, limit }) => [metric, limit]))
    await this.agent.begin({ watches: this.watched, limits })
    this.subscription = await this.engine.subscribe({ types: [MEASUREMENT], agent: this.watched }, (event) =>
      this.judge(event)
    )
  }

  async end(): Promise<void> {
    await this.subscription?.stop()
    await this.agent.end()
  }

  private get stream(): string {
    return `alert-${this.watched}`
  }

  /** The alerts that were open when the run before ended: the log knows. */
  private async openBefore(): Promise<ReadonlyArray<string>> {
    const open = new Map<string, boolean>()
    for await (const event of this.engine.read(this.stream, { backwards: true, limit: LAST_ALERTS })) {
      const { metric } = event.data as { readonly metric?: string }
      if (metric !== undefined && !open.has(metric)) open.set(metric, event.type === CROSSED)
    }
    return [...open].flatMap(([metric, isOpen]) => (isOpen ? [metric] : []))
  }

  private async judge(event: Event): Promise<void> {
    const measure = measureOf(event)
    const verdict = measure && this.thresholds.judge(measure.name, measure.value)
    if (measure === undefined || verdict === undefined) return
    try {
      await this.alert(verdict, measure)
    } catch (error) {
      this.thresholds.undo(verdict)
      this.onTrouble(error)
    }
  }

  /** Emitted while the measurement is being handled, so that the log knows it as the cause. */
  private async alert({ threshold, change }: Verdict, { value, unit }: Measure): Promise<void> {
    const startedAt = performance.now()
    const { metric, limit } = threshold
    const data = { metric, value, unit, limit, clearBelow: clearBelow(threshold) }
    const appended = await this.engine.emit(
      this.stream,
      {
        type: change === "crossed" ? CROSSED : CLEARED,
        data,
        labels: [`agent:${this.watched}`, `metric:${metric}`]
      },
      { meta: { actor: this.agent.id } }
    )
    this.tally.note(appended, 1, startedAt)
  }
}
