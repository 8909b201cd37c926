import { type Attributes, context, metrics, type Span, trace } from "@opentelemetry/api"
import { AsyncLocalStorageContextManager } from "@opentelemetry/context-async-hooks"
import { type DataPoint, MeterProvider, MetricReader } from "@opentelemetry/sdk-metrics"
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  type ReadableSpan,
  SimpleSpanProcessor
} from "@opentelemetry/sdk-trace-base"
import { until } from "../support/eventually.ts"

class OnDemandReader extends MetricReader {
  protected override onForceFlush(): Promise<void> {
    return Promise.resolve()
  }
  protected override onShutdown(): Promise<void> {
    return Promise.resolve()
  }
}

/** A host process with OpenTelemetry set up, until it is disposed. */
export class TelemetryHost implements AsyncDisposable {
  private readonly exporter = new InMemorySpanExporter()
  private readonly reader = new OnDemandReader()
  private readonly tracers: BasicTracerProvider
  private readonly meters: MeterProvider

  constructor() {
    this.tracers = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(this.exporter)] })
    this.meters = new MeterProvider({ readers: [this.reader] })
    trace.setGlobalTracerProvider(this.tracers)
    metrics.setGlobalMeterProvider(this.meters)
    context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable())
  }

  /** The spans of this name that have ended so far. */
  spans(name: string): ReadonlyArray<ReadableSpan> {
    return this.exporter.getFinishedSpans().filter((span) => span.name === name)
  }

  /** The first span of this name, as soon as it has ended. */
  span(name: string, matches: (span: ReadableSpan) => boolean = () => true): Promise<ReadableSpan> {
    return until(() => this.spans(name).find(matches), { what: `a span named ${name}` })
  }

  /** Runs inside a span of the host's own. */
  async inside<A>(name: string, body: (span: Span) => Promise<A>): Promise<A> {
    return trace.getTracer("host").startActiveSpan(name, async (span) => {
      try {
        return await body(span)
      } finally {
        span.end()
      }
    })
  }

  /** What the host's meter has of a metric now, by its attributes. */
  async points(metric: string): Promise<ReadonlyArray<DataPoint<unknown>>> {
    const { resourceMetrics } = await this.reader.collect()
    return resourceMetrics.scopeMetrics
      .flatMap((scope) => scope.metrics)
      .filter((data) => data.descriptor.name === metric)
      .flatMap((data): ReadonlyArray<DataPoint<unknown>> => data.dataPoints)
  }

  /** The value of a metric with these attributes, if any. */
  async value(metric: string, attributes: Attributes = {}): Promise<unknown> {
    const points = await this.points(metric)
    return points.find((point) => JSON.stringify(point.attributes) === JSON.stringify(attributes))?.value
  }

  async [Symbol.asyncDispose](): Promise<void> {
    trace.disable()
    metrics.disable()
    context.disable()
    await this.tracers.shutdown()
    await this.meters.shutdown()
  }
}

export const traceOf = (span: ReadableSpan): string => span.spanContext().traceId
export const idOf = (span: ReadableSpan): string => span.spanContext().spanId
export const parentOf = (span: ReadableSpan): string | undefined => span.parentSpanContext?.spanId

/** What an event carries of a span that is sampled. */
export const traceparentOf = (span: ReadableSpan): string => `00-${traceOf(span)}-${idOf(span)}-01`
