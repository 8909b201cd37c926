import { createHistogram } from "node:perf_hooks"
import type { Event } from "../../index.ts"

const US_PER_MS = 1000
const HIGHEST_US = 3_600_000_000

/** How many deliveries are remembered that came before their emit was known: a callback may overtake the answer. */
const OVERTAKING = 1000

/** The window over which the rate is taken, in seconds. */
const RATE_SECONDS = 5
const MS_PER_SECOND = 1000

export interface Latency {
  readonly p50: number
  readonly p99: number
  readonly max: number
}

/** An event is known by its place in its stream. */
const keyOf = (stream: string, version: number): string => `${version} ${stream}`

/** Counts what this process emitted and got, and how long its own events took from emit to callback. Bounded memory. */
export class Tally {
  emitted = 0
  delivered = 0
  private readonly startedAt = new Map<string, number>()
  private readonly overtook = new Map<string, number>()
  private readonly delays = createHistogram({ lowest: 1, highest: HIGHEST_US, figures: 3 })
  private readonly perSecond = new Map<number, number>()
  private readonly since: number

  /** `now` by performance.now(), in ms, as all times here. */
  constructor(now: number) {
    this.since = now
  }

  /** `count` events were emitted, up to this version of their stream, by a call that began at `startedAt`. */
  note({ stream, version }: Pick<Event, "stream" | "version">, count: number, startedAt: number): void {
    this.emitted += count
    for (let each = version - count + 1; each <= version; each++) {
      const key = keyOf(stream, each)
      const deliveredAt = this.overtook.get(key)
      if (deliveredAt === undefined) this.startedAt.set(key, startedAt)
      else {
        this.overtook.delete(key)
        this.record(deliveredAt - startedAt)
      }
    }
  }

  /** An event was handed to us at `at`; returns the ms since its emit, where it is known. */
  deliver({ stream, version }: Pick<Event, "stream" | "version">, at: number): number | undefined {
    this.delivered += 1
    const second = Math.floor(at / MS_PER_SECOND)
    this.perSecond.set(second, (this.perSecond.get(second) ?? 0) + 1)
    const key = keyOf(stream, version)
    const startedAt = this.startedAt.get(key)
    if (startedAt === undefined) {
      this.remember(key, at)
      return undefined
    }
    this.startedAt.delete(key)
    this.record(at - startedAt)
    return at - startedAt
  }

  /** Own events whose delivery is still to come. */
  get outstanding(): number {
    return this.startedAt.size
  }

  /** Own events that were delivered. */
  get returned(): number {
    return this.delays.count
  }

  /** Of own events, in ms; undefined while there is none. */
  get latency(): Latency | undefined {
    if (this.delays.count === 0) return undefined
    const ms = (us: number): number => us / US_PER_MS
    return {
      p50: ms(this.delays.percentile(50)),
      p99: ms(this.delays.percentile(99)),
      max: ms(this.delays.max)
    }
  }

  /** Deliveries per second over the last whole seconds. */
  rate(now: number): number {
    const current = Math.floor(now / MS_PER_SECOND)
    const seconds = Math.min(RATE_SECONDS, Math.max(1, current - Math.floor(this.since / MS_PER_SECOND)))
    let sum = 0
    for (const [second, count] of this.perSecond) {
      if (second < current - RATE_SECONDS) this.perSecond.delete(second)
      else if (second < current) sum += count
    }
    return sum / seconds
  }

  private record(ms: number): void {
    this.delays.record(Math.min(HIGHEST_US, Math.max(1, Math.round(ms * US_PER_MS))))
  }

  private remember(key: string, at: number): void {
    this.overtook.set(key, at)
    if (this.overtook.size <= OVERTAKING) return
    const [oldest] = this.overtook.keys()
    this.overtook.delete(oldest!)
  }
}
