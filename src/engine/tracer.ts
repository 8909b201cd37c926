import {
  type Attributes,
  type AttributeValue,
  context,
  type Context,
  type HrTime,
  type Link,
  type Span,
  SpanKind,
  SpanStatusCode,
  trace,
  TraceFlags,
  type Tracer,
  type TracerProvider
} from "@opentelemetry/api"
import { Cause, type Exit, Option, Tracer as EffectTracer } from "effect"
import { failureType, TELEMETRY_NAMES } from "../log/telemetry.ts"
import { redactedText } from "./redaction.ts"

const NANOS_PER_SECOND = 1_000_000_000n

const KINDS: Record<EffectTracer.SpanKind, SpanKind> = {
  internal: SpanKind.INTERNAL,
  server: SpanKind.SERVER,
  client: SpanKind.CLIENT,
  producer: SpanKind.PRODUCER,
  consumer: SpanKind.CONSUMER
}

let known: { readonly provider: TracerProvider; readonly tracer: Tracer } | undefined

/** The provider that the API hands out before the host has set up its own; it tells a real tracer from none. */
interface Proxy extends TracerProvider {
  getDelegateTracer(name: string): Tracer | undefined
}

const isProxy = (provider: TracerProvider): provider is Proxy => "getDelegateTracer" in provider

/** The host's tracer; undefined where the host has none. Looked for at every turn, as the host may come later. */
export const hostTracer = (): Tracer | undefined => {
  const provider = trace.getTracerProvider()
  if (known?.provider === provider) return known.tracer
  const { scope } = TELEMETRY_NAMES
  const tracer = isProxy(provider) ? provider.getDelegateTracer(scope) : provider.getTracer(scope)
  known = tracer === undefined ? undefined : { provider, tracer }
  return tracer
}

const hrTime = (nanos: bigint): HrTime | undefined =>
  nanos === 0n ? undefined : [Number(nanos / NANOS_PER_SECOND), Number(nanos % NANOS_PER_SECOND)]

const isPlain = (value: unknown): value is string | number | boolean =>
  typeof value === "string" || typeof value === "number" || typeof value === "boolean"

const attributeValue = (value: unknown): AttributeValue =>
  isPlain(value) ? value : Array.isArray(value) ? value.map(String) : String(value)

const attributesOf = (values: Readonly<Record<string, unknown>>): Attributes =>
  Object.fromEntries(Object.entries(values).map(([name, value]) => [name, attributeValue(value)]))

const contextOf = (span: EffectTracer.AnySpan): Context =>
  span instanceof HostSpan
    ? span.context
    : trace.setSpanContext(context.active(), {
        traceId: span.traceId,
        spanId: span.spanId,
        traceFlags: span.sampled ? TraceFlags.SAMPLED : TraceFlags.NONE,
        isRemote: true
      })

/** The nearest ancestor that the host can know; else what is active where the effect runs, as for callers of promises. */
const parentContext = (parent: Option.Option<EffectTracer.AnySpan>): Context => {
  let span = Option.getOrUndefined(parent)
  while (span !== undefined && span._tag === "Span" && !(span instanceof HostSpan)) {
    span = Option.getOrUndefined(span.parent)
  }
  return span === undefined ? context.active() : contextOf(span)
}

const linksOf = (links: ReadonlyArray<EffectTracer.SpanLink>): Array<Link> =>
  links.flatMap(({ span, attributes }) => {
    const spanContext = trace.getSpanContext(contextOf(span))
    return spanContext === undefined ? [] : [{ context: spanContext, attributes: attributesOf(attributes) }]
  })

/** Says on a span what it failed with, without secrets. */
export const recordFailure = (span: Span, thrown: unknown): void => {
  const error = thrown instanceof Error ? thrown : new Error(String(thrown))
  const message = redactedText(error.message)
  span.setAttribute(TELEMETRY_NAMES.errorType, failureType(thrown))
  span.recordException({ name: error.name, message, stack: redactedText(error.stack ?? "") })
  span.setStatus({ code: SpanStatusCode.ERROR, message })
}

type SpanOptions = Parameters<EffectTracer.Tracer["span"]>[0]

/** A span of the host's tracer as a span of Effect's. */
class HostSpan implements EffectTracer.Span {
  readonly _tag = "Span"
  readonly name: string
  readonly spanId: string
  readonly traceId: string
  readonly sampled: boolean
  readonly parent: SpanOptions["parent"]
  readonly annotations: SpanOptions["annotations"]
  readonly links: SpanOptions["links"]
  readonly kind: SpanOptions["kind"]
  readonly attributes = new Map<string, unknown>()
  status: EffectTracer.SpanStatus
  /** The context in which this is the active span. */
  readonly context: Context
  private readonly span: Span

  constructor(tracer: Tracer, options: SpanOptions) {
    const { name, parent, annotations, links, kind, startTime, root } = options
    const around = root ? trace.deleteSpan(context.active()) : parentContext(parent)
    const started = hrTime(startTime)
    const spanOptions = { kind: KINDS[kind], links: linksOf(links), root }
    this.span = tracer.startSpan(
      name,
      started === undefined ? spanOptions : { ...spanOptions, startTime: started },
      around
    )
    const { spanId, traceId, traceFlags } = this.span.spanContext()
    this.name = name
    this.spanId = spanId
    this.traceId = traceId
    this.sampled = (traceFlags & TraceFlags.SAMPLED) !== 0
    this.parent = parent
    this.annotations = annotations
    this.links = links
    this.kind = kind
    this.status = { _tag: "Started", startTime }
    this.context = trace.setSpan(around, this.span)
  }

  end(endTime: bigint, exit: Exit.Exit<unknown, unknown>): void {
    this.status = { _tag: "Ended", startTime: this.status.startTime, endTime, exit }
    if (exit._tag === "Failure" && !Cause.hasInterruptsOnly(exit.cause)) {
      recordFailure(this.span, Cause.squash(exit.cause))
    }
    this.span.end(hrTime(endTime))
  }

  attribute(key: string, value: unknown): void {
    this.attributes.set(key, value)
    this.span.setAttribute(key, attributeValue(value))
  }

  event(name: string, startTime: bigint, attributes: Record<string, unknown> = {}): void {
    this.span.addEvent(name, attributesOf(attributes), hrTime(startTime))
  }

  addLinks(links: ReadonlyArray<EffectTracer.SpanLink>): void {
    this.links.push(...links)
    this.span.addLinks(linksOf(links))
  }
}

/** Effect's spans through the host's tracer. What an effect calls finds its span active, as the host's instrumentation expects. */
export const effectTracer = (tracer: Tracer): EffectTracer.Tracer =>
  EffectTracer.make({
    span: (options) => new HostSpan(tracer, options),
    context: (primitive, fiber) => {
      const { span } = fiber.cache
      const evaluate = () => primitive["~effect/Effect/evaluate"](fiber)
      return span instanceof HostSpan ? context.with(span.context, evaluate) : evaluate()
    }
  })

/** The OpenTelemetry context of an Effect span of ours; undefined for another's. */
export const hostContext = (span: EffectTracer.AnySpan | undefined): Context | undefined =>
  span instanceof HostSpan ? span.context : undefined
