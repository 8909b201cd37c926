import {
  type Attributes,
  type Context,
  context,
  type Span,
  type SpanContext,
  SpanKind,
  type SpanOptions,
  trace,
  TraceFlags,
  type Tracer as HostTracer
} from "@opentelemetry/api"
import { Effect, Layer, type Scope, type Tracer } from "effect"
import { Ambient } from "../log/ambient.ts"
import { Appender } from "../log/appender.ts"
import { causalMeta, handledEvent } from "../log/causation.ts"
import type { Event, Meta } from "../log/event.ts"
import { Feed } from "../log/feed.ts"
import { LogIdentity } from "../log/identity.ts"
import type { Request } from "../log/request.ts"
import { Telemetry, TELEMETRY_NAMES } from "../log/telemetry.ts"
import { type Gauges, hostInstruments, showGauges } from "./meter.ts"
import { effectTracer, hostContext, hostTracer, recordFailure } from "./tracer.ts"

const TRACEPARENT = /^(?!ff)[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})/

/** The W3C trace context of the span that is active here; undefined where there is none. */
export const ambientTraceparent = (): string | undefined => {
  const spanContext = trace.getActiveSpan()?.spanContext()
  if (spanContext === undefined || !trace.isSpanContextValid(spanContext)) return undefined
  const flags = (spanContext.traceFlags & TraceFlags.SAMPLED) === 0 ? "00" : "01"
  return `00-${spanContext.traceId}-${spanContext.spanId}-${flags}`
}

/**
 * What an emit is part of, without being told: the event being handled here is its cause, and it belongs to the active
 * span's trace. A process without telemetry hands on the trace of the event that it handles, so that the trace does not end there.
 */
export const ambientMeta = (): Meta | undefined => {
  const event = handledEvent()
  const causal = event === undefined ? undefined : causalMeta(event)
  const traceparent = ambientTraceparent() ?? event?.meta.traceparent
  return traceparent === undefined ? causal : { ...causal, traceparent }
}

/** The span that an event was emitted in, if it says so. */
const emittedIn = ({ meta }: Event): SpanContext | undefined => {
  const [, traceId, spanId, flags] = TRACEPARENT.exec(String(meta.traceparent)) ?? []
  if (traceId === undefined || spanId === undefined || flags === undefined) return undefined
  const spanContext = { traceId, spanId, traceFlags: Number.parseInt(flags, 16), isRemote: true }
  return trace.isSpanContextValid(spanContext) ? spanContext : undefined
}

/** What a span, or a link, says of an event. */
const attributesOf = (event: Event): Attributes => ({
  [TELEMETRY_NAMES.stream]: event.stream,
  [TELEMETRY_NAMES.position]: event.position,
  [TELEMETRY_NAMES.version]: event.version,
  [TELEMETRY_NAMES.eventId]: event.id,
  [TELEMETRY_NAMES.eventType]: event.type
})

/** Where a handler's work belongs: to the trace of its event, and never to the one in which somebody once subscribed. */
const handleSpanOf = (tracer: HostTracer, events: ReadonlyArray<Event>): readonly [Context, Span] => {
  const [event] = events
  const around = trace.deleteSpan(context.active())
  const begun = (options: SpanOptions, parent: Context): readonly [Context, Span] => {
    const span = tracer.startSpan(TELEMETRY_NAMES.handleSpan, { kind: SpanKind.CONSUMER, ...options }, parent)
    return [trace.setSpan(parent, span), span]
  }
  if (events.length === 1) {
    const emitted = emittedIn(event!)
    const parent = emitted === undefined ? around : trace.setSpanContext(around, emitted)
    return begun({ attributes: attributesOf(event!) }, parent)
  }
  // Several events may be of several traces, so that none of these is the one that it belongs to.
  const links = events.flatMap((one) => {
    const emitted = emittedIn(one)
    return emitted === undefined ? [] : [{ context: emitted, attributes: attributesOf(one) }]
  })
  const attributes = {
    [TELEMETRY_NAMES.events]: events.length,
    [TELEMETRY_NAMES.position]: events.at(-1)!.position
  }
  return begun({ attributes, links }, around)
}

const isThenable = (value: unknown): value is PromiseLike<unknown> =>
  typeof value === "object" && value !== null && "then" in value

const handleInSpan = (events: ReadonlyArray<Event>, handle: () => unknown): unknown => {
  const tracer = hostTracer()
  if (tracer === undefined) return handle()
  const [inside, span] = handleSpanOf(tracer, events)
  const failed = (thrown: unknown): void => {
    recordFailure(span, thrown)
    span.end()
  }
  try {
    const handling = context.with(inside, handle)
    if (isThenable(handling)) handling.then(() => span.end(), failed)
    else span.end()
    return handling
  } catch (thrown) {
    failed(thrown)
    throw thrown
  }
}

const handling = (events: ReadonlyArray<Event>, live: boolean, handle: () => unknown): unknown => {
  const instruments = hostInstruments()
  instruments?.delivered.add(events.length)
  if (live && instruments !== undefined) {
    const now = Date.now()
    for (const { recordedAt } of events)
      instruments.deliveryLatency.record(Math.max(0, now - recordedAt.getTime()))
  }
  return handleInSpan(events, handle)
}

const appended = (requests: ReadonlyArray<Request>): void =>
  hostInstruments()?.emitted.add(requests.reduce((events, request) => events + request.events, 0))

const emitted = (ms: number, failure: string | undefined): void =>
  hostInstruments()?.emitDuration.record(
    ms,
    failure === undefined ? undefined : { [TELEMETRY_NAMES.errorType]: failure }
  )

/** The log's telemetry through OpenTelemetry's API. The host may set up its providers before or after the engine opens. */
class HostTelemetry implements Telemetry {
  private made: { readonly of: ReturnType<typeof hostTracer>; readonly tracer: Tracer.Tracer } | undefined

  get tracer(): Tracer.Tracer | undefined {
    const tracer = hostTracer()
    if (tracer === undefined) return undefined
    if (this.made?.of !== tracer) this.made = { of: tracer, tracer: effectTracer(tracer) }
    return this.made.tracer
  }

  get appended(): Telemetry["appended"] {
    return hostInstruments() === undefined ? undefined : appended
  }

  get emitted(): Telemetry["emitted"] {
    return hostInstruments() === undefined ? undefined : emitted
  }

  get handling(): Telemetry["handling"] {
    return hostTracer() === undefined && hostInstruments() === undefined ? undefined : handling
  }
}

/** Has the log tell OpenTelemetry, where the host process has it set up, and has emits carry the trace they are part of. */
export const telemetryLayer: Layer.Layer<never> = Layer.merge(
  Layer.sync(Telemetry, () => new HostTelemetry()),
  Layer.succeed(Ambient, ambientMeta)
)

/** Shows where this engine's feed, queue and projections are, for the time of the scope. */
export const engineGauges = Effect.fnUntraced(function* (
  projectionLags: Gauges["projectionLags"] = () => []
): Effect.fn.Return<void, never, Feed | Appender | LogIdentity | Scope.Scope> {
  const feed = yield* Feed
  const appender = yield* Appender
  const { id } = (yield* LogIdentity).current()
  yield* showGauges({
    log: id,
    feedPosition: feed.position,
    emitWaiting: () => appender.status().waiting,
    projectionLags
  })
})

/**
 * How to run a caller's own code inside the span of the effect that asks, after the caller's asynchronous context was
 * restored around it, which is another one.
 */
export const withinSpan: Effect.Effect<<A>(body: () => A) => A> = Effect.withFiberSucceed((fiber) => {
  const around = hostContext(fiber.cache.span)
  return around === undefined ? (body) => body() : (body) => context.with(around, body)
})
