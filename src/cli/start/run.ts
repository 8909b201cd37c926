import { tmpdir } from "node:os"
import { setTimeout as pause } from "node:timers/promises"
import type { Engine, Event, Subscription } from "../../index.ts"
import type { Say } from "../place.ts"
import type { Screen } from "../terminal/screen.ts"
import { Agent, agentIdFor } from "./agent.ts"
import { type Facts, factsOf, NO_FACTS } from "./facts.ts"
import { Host } from "./host.ts"
import { LiveView } from "./live-view.ts"
import { reports } from "./reports.ts"
import type { Standing } from "./status-line.ts"
import { type Summary, summaryOf } from "./summary.ts"
import { Tally } from "./tally.ts"
import type { Threshold } from "./threshold.ts"
import { Watch } from "./watch.ts"

/** How often the log is asked how it stands, in ms. */
const ASK_MS = 1_000

/** How many events of before are shown where a log goes on. */
const PAST_EVENTS = 5

/** How long the agents may take to say that they stop, and what they emitted to come back, in ms. */
const LAST_WORDS_MS = 5_000
const LAST_EVENTS_MS = 3_000
const LOOK_AGAIN_MS = 20

/** The agents of this process, and what is seen of them. */
export class Run {
  /** Rejects when the view or the watch cannot go on. */
  readonly failed: Promise<never>
  private readonly engine: Engine
  private readonly from: number
  private readonly say: Say
  private readonly screen: Screen | undefined
  private readonly limits: ReadonlyArray<Threshold>
  private readonly directory: string
  private readonly measureMs: number | undefined
  private readonly startedAt = performance.now()
  private readonly tally = new Tally(this.startedAt)
  private readonly mostLag = new Map<string, number>()
  private readonly asking = new AbortController()
  private fail: (error: unknown) => void = () => undefined
  private facts: Facts
  private host: Host | undefined
  private watch: Watch | undefined
  private view: LiveView | undefined
  private subscription: Subscription | undefined
  private isEnding = false
  private asked: Promise<void> = Promise.resolve()

  constructor(options: {
    readonly engine: Engine
    /** Undefined shows nothing. */
    readonly screen: Screen | undefined
    /** The settled position at the beginning. */
    readonly from: number
    readonly say: Say
    readonly limits: ReadonlyArray<Threshold>
    /** Where the data live, if that is on this machine. */
    readonly directory: string | undefined
    /** How often the machine is measured, in ms; as often as usual where it is not said. */
    readonly measureMs: number | undefined
  }) {
    this.engine = options.engine
    this.screen = options.screen
    this.from = options.from
    this.say = options.say
    this.limits = options.limits
    this.directory = options.directory ?? tmpdir()
    this.measureMs = options.measureMs
    this.facts = { ...NO_FACTS, settled: options.from }
    this.failed = new Promise((_, reject) => {
      this.fail = reject
    })
    this.failed.catch(() => undefined)
  }

  async begin(): Promise<void> {
    const { engine, tally } = this
    const told = reports(engine)
    const host = new Agent(await agentIdFor(told, "host"), told, tally)
    const watch = new Agent(await agentIdFor(told, "watch"), told, tally)
    this.host = new Host(host, this.directory, (error) => this.trouble(error), this.measureMs)
    this.watch = new Watch({
      engine,
      agent: watch,
      tally,
      watched: host.id,
      limits: this.limits,
      onTrouble: (error) => this.trouble(error)
    })
    await this.show()
    await this.watch.begin()
    await this.host.begin()
    this.watch.done.catch((error: unknown) => this.fail(error))
    this.asked = this.ask()
  }

  /** Ends the agents, and tells what was done. Not clean where the log could not be told. */
  async end(): Promise<{ readonly summary: Summary; readonly isClean: boolean }> {
    this.isEnding = true
    const runningMs = performance.now() - this.startedAt
    const isClean = await this.lastWords()
    await this.comesBack()
    this.asking.abort()
    await this.asked
    await this.subscription?.stop()
    this.view?.close()
    const agents = [this.host?.agentId, this.watch?.agentId].filter((id) => id !== undefined)
    const { tally, facts, mostLag, from } = this
    return { summary: summaryOf({ tally, facts, mostLag, from, runningMs, agents }), isClean }
  }

  /** The view follows the whole log, and shows a little of what was before. */
  private async show(): Promise<void> {
    if (this.screen !== undefined) this.view = new LiveView(this.screen, () => this.standing())
    const from = Math.max(0, this.from - PAST_EVENTS)
    this.subscription = await this.engine.subscribe({ from }, (event) => this.seen(event))
    this.subscription.done.catch((error: unknown) => this.fail(error))
  }

  private seen(event: Event): Promise<void> | undefined {
    const at = Date.now()
    if (event.position <= this.from)
      return this.view?.event({ event, at, latencyMs: undefined, isPast: true })
    const measured = this.tally.deliver(event, performance.now())
    const latencyMs = measured ?? Math.max(0, at - event.recordedAt.getTime())
    return this.view?.event({ event, at, latencyMs, isEstimate: measured === undefined })
  }

  private standing(): Standing {
    const now = performance.now()
    return {
      facts: this.facts,
      perSecond: this.tally.rate(now),
      latency: this.tally.latency,
      alerts: this.watch?.alerts ?? [],
      runningMs: now - this.startedAt,
      isEnding: this.isEnding
    }
  }

  private async ask(): Promise<void> {
    const { signal } = this.asking
    for (;;) {
      await this.askOnce()
      if (signal.aborted) return
      await pause(ASK_MS, undefined, { signal }).catch(() => undefined)
    }
  }

  private async askOnce(): Promise<void> {
    this.facts = await factsOf(this.engine, this.facts)
    for (const { name, lag } of this.facts.projections) {
      this.mostLag.set(name, Math.max(lag, this.mostLag.get(name) ?? 0))
    }
  }

  private trouble(error: unknown): void {
    this.say(error instanceof Error ? error.message : String(error))
  }

  /** A log that is out of reach must not keep the process from ending. */
  private async lastWords(): Promise<boolean> {
    const { signal, abort } = withSignal()
    const late = pause(LAST_WORDS_MS, "late" as const, { signal }).catch(() => "late" as const)
    try {
      const ending = Promise.all([this.host?.end(), this.watch?.end()])
      const first = await Promise.race([ending, late])
      if (first === "late") this.say("The log could not be told in time that the agents stopped.")
      return first !== "late"
    } catch (error) {
      this.trouble(error)
      return false
    } finally {
      abort()
    }
  }

  /** Until all that was emitted was delivered, and projected: then the numbers fit. */
  private async comesBack(): Promise<void> {
    const deadline = performance.now() + LAST_EVENTS_MS
    const isBehind = (): boolean =>
      this.tally.outstanding > 0 || this.facts.projections.some(({ lag, isStopped }) => lag > 0 && !isStopped)
    do {
      await this.askOnce()
      if (!isBehind()) return
      await pause(LOOK_AGAIN_MS)
    } while (performance.now() < deadline && this.facts.trouble === undefined)
  }
}

const withSignal = (): { readonly signal: AbortSignal; readonly abort: () => void } => {
  const controller = new AbortController()
  return { signal: controller.signal, abort: () => controller.abort() }
}
