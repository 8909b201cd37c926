import { Context, Effect, type Exit, type Fiber, Stream, Tracer } from "effect"
import type { Appended, Event, Part } from "./event.ts"
import type { Request } from "./request.ts"

/** The names that traces and dashboards hold on to. Durations and latencies are in ms. */
export const TELEMETRY_NAMES = Object.freeze({
  /** Of the tracer and the meter. */
  scope: "tidemark",

  emitSpan: "tidemark.emit",
  transactionSpan: "tidemark.transaction",
  readSpan: "tidemark.read",
  replaySpan: "tidemark.replay",
  handleSpan: "tidemark.handle",

  eventsEmitted: "tidemark.events.emitted",
  eventsDelivered: "tidemark.events.delivered",
  emitDuration: "tidemark.emit.duration",
  deliveryLatency: "tidemark.delivery.latency",
  projectionLag: "tidemark.projection.lag",
  feedPosition: "tidemark.feed.position",
  emitWaiting: "tidemark.emit.waiting",

  log: "tidemark.log",
  stream: "tidemark.stream",
  streams: "tidemark.streams",
  events: "tidemark.events",
  position: "tidemark.position",
  version: "tidemark.version",
  eventId: "tidemark.event.id",
  eventType: "tidemark.event.type",
  projection: "tidemark.projection",
  errorType: "error.type"
})

/** Who watches the log. What nobody watches is undefined, so that looking costs a property read and nothing more. */
export interface Telemetry {
  /** Takes the spans of fibers that have no tracer of their own. */
  readonly tracer: Tracer.Tracer | undefined
  /** Hears what was appended, by emits and in transactions. */
  readonly appended: ((requests: ReadonlyArray<Request>) => void) | undefined
  /** Hears how long an emit took, in ms, and the name of what it failed with, if it did. */
  readonly emitted: ((ms: number, failure: string | undefined) => void) | undefined
  /** Runs a subscription's handler for an event, or for several at once; `live` where they come from the feed and not from the past. */
  readonly handling:
    | ((events: ReadonlyArray<Event>, live: boolean, handle: () => unknown) => unknown)
    | undefined
}

export const Telemetry = Context.Reference<Telemetry>("tidemark/log/Telemetry", {
  defaultValue: () => ({ tracer: undefined, appended: undefined, emitted: undefined, handling: undefined })
})

const TRACE_ID = /^[0-9a-f]{32}$/
const SPAN_ID = /^[0-9a-f]{16}$/

/** The W3C trace context of a span; undefined for one that leads nowhere. */
export const traceparentOf = ({ traceId, spanId, sampled }: Tracer.AnySpan): string | undefined =>
  TRACE_ID.test(traceId) && SPAN_ID.test(spanId)
    ? `00-${traceId}-${spanId}-${sampled ? "01" : "00"}`
    : undefined

/** The name of what something failed with: the reason's where a wrapper has one. */
export const failureType = (error: unknown): string => {
  if (typeof error !== "object" || error === null) return typeof error
  if ("reason" in error && error.reason instanceof Error) return failureType(error.reason)
  return "_tag" in error ? String(error._tag) : error instanceof Error ? error.name : "object"
}

const tracerFor = (telemetry: Telemetry, fiber: Fiber.Fiber<unknown, unknown>): Tracer.Tracer | undefined =>
  fiber.cache.tracer ?? telemetry.tracer

/** Runs a transaction in a span that what its caller does inside belongs to. */
export const watchedTransaction = <A, E, R>(
  telemetry: Telemetry,
  run: (traceparent: string | undefined) => Effect.Effect<A, E, R>
): Effect.Effect<A, E, R> =>
  Effect.withFiber((fiber) => {
    const tracer = tracerFor(telemetry, fiber)
    if (tracer === undefined) return run(undefined)
    const spanned = Effect.useSpan(
      TELEMETRY_NAMES.transactionSpan,
      (span) =>
        Effect.provideService(run(traceparentOf(span)), Tracer.ParentSpan, span) as Effect.Effect<A, E, R>
    )
    return Effect.withTracer(spanned, tracer)
  })

/** Reads in a span that lasts until the reader has what it wants. */
export const watchedRead = <A, E, R>(
  telemetry: Telemetry,
  stream: string,
  events: Stream.Stream<A, E, R>
): Stream.Stream<A, E, R> =>
  spannedEvents(telemetry, TELEMETRY_NAMES.readSpan, { [TELEMETRY_NAMES.stream]: stream }, events)

/** Replays in a span that lasts until the reader has what it wants. */
export const watchedReplay = <A, E, R>(
  telemetry: Telemetry,
  events: Stream.Stream<A, E, R>
): Stream.Stream<A, E, R> => spannedEvents(telemetry, TELEMETRY_NAMES.replaySpan, {}, events)

const spannedEvents = <A, E, R>(
  telemetry: Telemetry,
  name: string,
  attributes: Readonly<Record<string, string>>,
  events: Stream.Stream<A, E, R>
): Stream.Stream<A, E, R> =>
  Stream.unwrap(
    Effect.withFiberSucceed((fiber) => {
      const tracer = tracerFor(telemetry, fiber)
      if (tracer === undefined) return events
      const inSpan = Stream.withSpan(events, name, { attributes, captureStackTrace: false })
      return Stream.provideService(inSpan, Tracer.Tracer, tracer) as Stream.Stream<A, E, R>
    })
  )

/** Appends in a span, whose trace context the events carry; tells how long it took and how much it brought. */
export const watchedEmit = <E, R>(
  telemetry: Telemetry,
  parts: ReadonlyArray<Part>,
  append: (traceparent: string | undefined) => Effect.Effect<ReadonlyArray<Appended>, E, R>
): Effect.Effect<ReadonlyArray<Appended>, E, R> =>
  Effect.withFiber((fiber) => {
    const tracer = tracerFor(telemetry, fiber)
    const measured = telemetry.emitted === undefined ? append : measuredEmit(telemetry, append)
    return tracer === undefined ? measured(undefined) : spannedEmit(tracer, parts, measured)
  })

type Append<E, R> = (traceparent: string | undefined) => Effect.Effect<ReadonlyArray<Appended>, E, R>

const measuredEmit =
  <E, R>(telemetry: Telemetry, append: Append<E, R>): Append<E, R> =>
  (traceparent) => {
    const since = performance.now()
    return Effect.onExit(append(traceparent), (exit) =>
      Effect.sync(() => telemetry.emitted?.(performance.now() - since, failureOf(exit)))
    )
  }

const spannedEmit = <E, R>(
  tracer: Tracer.Tracer,
  parts: ReadonlyArray<Part>,
  append: Append<E, R>
): Effect.Effect<ReadonlyArray<Appended>, E, R> => {
  const attributes =
    parts.length === 1
      ? { [TELEMETRY_NAMES.stream]: parts[0]!.stream }
      : { [TELEMETRY_NAMES.streams]: parts.length }
  const spanned = Effect.useSpan(TELEMETRY_NAMES.emitSpan, { kind: "producer", attributes }, (span) =>
    Effect.map(append(traceparentOf(span)), (appended) => {
      span.attribute(TELEMETRY_NAMES.events, eventsOf(appended))
      span.attribute(TELEMETRY_NAMES.position, appended.at(-1)!.position)
      if (appended.length === 1) span.attribute(TELEMETRY_NAMES.version, appended[0]!.version)
      return appended
    })
  )
  return Effect.withTracer(spanned, tracer)
}

const eventsOf = (appended: ReadonlyArray<Appended>): number =>
  appended.reduce((sum, one) => sum + one.events.length, 0)

const failureOf = (exit: Exit.Exit<unknown, unknown>): string | undefined => {
  if (exit._tag === "Success") return undefined
  const [reason] = exit.cause.reasons
  switch (reason?._tag) {
    case "Fail":
      return failureType(reason.error)
    case "Die":
      return failureType(reason.defect)
    default:
      return "interrupted"
  }
}
