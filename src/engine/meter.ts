import {
  type Attributes,
  type Counter,
  createNoopMeter,
  type Histogram,
  type Meter,
  type MeterProvider,
  metrics
} from "@opentelemetry/api"
import { Effect, type Scope } from "effect"
import { TELEMETRY_NAMES } from "../log/telemetry.ts"

/** Buckets of times, in ms: an emit takes about one, and times out after 30 000. */
const TIME_BUCKETS_MS = [0.25, 0.5, 1, 2, 3, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000, 30_000]

/** What an engine shows whenever the host collects. */
export interface Gauges {
  /** The log's id, which tells one engine's values from another's. */
  readonly log: string
  /** Undefined while nobody subscribes. */
  readonly feedPosition: () => number | undefined
  /** Events that wait for a batch. */
  readonly emitWaiting: () => number
  /** How many positions each projection is behind, at most, by name. */
  readonly projectionLags: () => Iterable<readonly [name: string, lag: number]>
}

const shown = new Set<Gauges>()

/** Shows gauges for the time of the scope. */
export const showGauges = (gauges: Gauges): Effect.Effect<void, never, Scope.Scope> =>
  Effect.asVoid(
    Effect.acquireRelease(
      Effect.sync(() => {
        shown.add(gauges)
        hostInstruments()
      }),
      () => Effect.sync(() => shown.delete(gauges))
    )
  )

/** What the host's meter measures with. */
export class Instruments {
  readonly emitted: Counter
  readonly delivered: Counter
  readonly emitDuration: Histogram
  readonly deliveryLatency: Histogram

  constructor(meter: Meter) {
    const time = { unit: "ms", advice: { explicitBucketBoundaries: TIME_BUCKETS_MS } }
    this.emitted = meter.createCounter(TELEMETRY_NAMES.eventsEmitted, {
      unit: "{event}",
      description: "Events that were appended"
    })
    this.delivered = meter.createCounter(TELEMETRY_NAMES.eventsDelivered, {
      unit: "{event}",
      description: "Events that were handed to a subscription's handler"
    })
    this.emitDuration = meter.createHistogram(TELEMETRY_NAMES.emitDuration, {
      ...time,
      description: "From the call of emit to its outcome"
    })
    this.deliveryLatency = meter.createHistogram(TELEMETRY_NAMES.deliveryLatency, {
      ...time,
      description:
        "From the insert of an event, by the database's clock, to a live handler, by this machine's"
    })
    observeGauges(meter)
  }
}

const observeGauges = (meter: Meter): void => {
  const projectionLag = meter.createObservableGauge(TELEMETRY_NAMES.projectionLag, {
    unit: "{position}",
    description: "How many positions a projection is behind the log, at most"
  })
  const feedPosition = meter.createObservableGauge(TELEMETRY_NAMES.feedPosition, {
    unit: "{position}",
    description: "Everything up to here was handed to the subscriptions of this process"
  })
  const emitWaiting = meter.createObservableGauge(TELEMETRY_NAMES.emitWaiting, {
    unit: "{event}",
    description: "Events that wait for a batch"
  })
  meter.addBatchObservableCallback(
    (result) => {
      for (const gauges of shown) {
        const log: Attributes = { [TELEMETRY_NAMES.log]: gauges.log }
        const position = gauges.feedPosition()
        if (position !== undefined) result.observe(feedPosition, position, log)
        result.observe(emitWaiting, gauges.emitWaiting(), log)
        for (const [name, lag] of gauges.projectionLags()) {
          result.observe(projectionLag, lag, { ...log, [TELEMETRY_NAMES.projection]: name })
        }
      }
    },
    [projectionLag, feedPosition, emitWaiting]
  )
}

let known: { readonly provider: MeterProvider; readonly instruments: Instruments | undefined } | undefined

/** The host's instruments; undefined where the host has no meter. Looked for at every turn, as the host may come later. */
export const hostInstruments = (): Instruments | undefined => {
  const provider = metrics.getMeterProvider()
  if (known?.provider === provider) return known.instruments
  const meter = provider.getMeter(TELEMETRY_NAMES.scope)
  known = { provider, instruments: meter === createNoopMeter() ? undefined : new Instruments(meter) }
  return known.instruments
}
