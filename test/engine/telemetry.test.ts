import { context, SpanKind, SpanStatusCode, trace } from "@opentelemetry/api"
import { AsyncLocalStorageContextManager } from "@opentelemetry/context-async-hooks"
import { Effect, Stream, Tracer } from "effect"
import { describe, expect, test } from "vitest"
import { ambientTraceparent, telemetryLayer, withinSpan } from "../../src/engine/telemetry.ts"
import { Telemetry, TELEMETRY_NAMES } from "../../src/log/telemetry.ts"
import { testDatabase } from "../support/database.ts"
import { deferred } from "../support/eventually.ts"
import { idOf, parentOf, TelemetryHost, traceOf, traceparentOf } from "./telemetry-host.ts"
import { watchedLog } from "./watched-log.ts"

const database = testDatabase()

const { emitSpan, readSpan, replaySpan, transactionSpan } = TELEMETRY_NAMES

const REMOTE = { traceId: "0af7651916cd43dd8448eb211c80319c", spanId: "b7ad6b7169203331" }
const REMOTE_TRACEPARENT = `00-${REMOTE.traceId}-${REMOTE.spanId}-01`

describe("in a process without telemetry", () => {
  test("nothing is watched, so that the log pays a property read", async () => {
    const telemetry = await Effect.runPromise(Effect.provide(Telemetry, telemetryLayer))
    expect(telemetry.tracer).toBeUndefined()
    expect(telemetry.appended).toBeUndefined()
    expect(telemetry.emitted).toBeUndefined()
    expect(telemetry.handling).toBeUndefined()
    expect(ambientTraceparent()).toBeUndefined()
  })

  test("an event carries no trace context", async () => {
    await using engine = await watchedLog(database)
    await engine.emit("note-bare")
    const [event] = await engine.events("note-bare")
    expect(event!.meta).toEqual({})
  })

  test("a handler hands on the trace of its event", async () => {
    await using engine = await watchedLog(database)
    await engine.subscribe("note-untraced", () => engine.emit("note-untraced-answer"))
    const answered = deferred()
    await engine.subscribe("note-untraced-answer", () => answered.resolve())
    await engine.emit("note-untraced", {}, { traceparent: REMOTE_TRACEPARENT })
    await answered.promise
    const [answer] = await engine.events("note-untraced-answer")
    expect(answer!.meta.traceparent).toBe(REMOTE_TRACEPARENT)
  })

  test("a span that the host only passes through is handed on", async () => {
    context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable())
    try {
      await using engine = await watchedLog(database)
      const passed = trace.setSpanContext(context.active(), { ...REMOTE, traceFlags: 1 })
      await context.with(passed, () => engine.emit("note-passed"))
      const [event] = await engine.events("note-passed")
      expect(event!.meta.traceparent).toBe(REMOTE_TRACEPARENT)
    } finally {
      context.disable()
    }
  })
})

describe("spans", () => {
  test("an emit is a producer's span below the caller's active span", async () => {
    await using host = new TelemetryHost()
    await using engine = await watchedLog(database)
    const appended = await host.inside("request", () => engine.emit("note-spanned"))
    const span = await host.span(emitSpan)
    const request = await host.span("request")
    expect(parentOf(span)).toBe(idOf(request))
    expect(span.kind).toBe(SpanKind.PRODUCER)
    expect(span.instrumentationScope.name).toBe("tidemark")
    expect(span.status.code).toBe(SpanStatusCode.UNSET)
    expect(span.attributes).toEqual({
      "tidemark.stream": "note-spanned",
      "tidemark.events": 1,
      "tidemark.position": appended.position,
      "tidemark.version": 1
    })
    expect(span.duration[0] * 1e9 + span.duration[1]).toBeGreaterThan(0)
  })

  test("an emitted event carries the trace context of its emit", async () => {
    await using host = new TelemetryHost()
    await using engine = await watchedLog(database)
    await engine.emit("note-carrying", {}, { actor: "a" })
    const span = await host.span(emitSpan)
    const [event] = await engine.events("note-carrying")
    expect(event!.meta).toEqual({ actor: "a", traceparent: traceparentOf(span) })
  })

  test("emits at the same time each have a span and a trace of their own", async () => {
    await using host = new TelemetryHost()
    await using engine = await watchedLog(database)
    await Promise.all(
      Array.from({ length: 20 }, (_, index) =>
        host.inside(`request ${index}`, () => engine.emit(`note-many_${index}`))
      )
    )
    for (let index = 0; index < 20; index++) {
      const stream = `note-many_${index}`
      const span = await host.span(emitSpan, (one) => one.attributes[TELEMETRY_NAMES.stream] === stream)
      expect(parentOf(span)).toBe(idOf(await host.span(`request ${index}`)))
      expect((await engine.events(stream))[0]!.meta.traceparent).toBe(traceparentOf(span))
    }
  })

  test("a caller's own trace context goes before that of the emit", async () => {
    await using _host = new TelemetryHost()
    await using engine = await watchedLog(database)
    await engine.emit("note-told", {}, { traceparent: REMOTE_TRACEPARENT })
    const [event] = await engine.events("note-told")
    expect(event!.meta.traceparent).toBe(REMOTE_TRACEPARENT)
  })

  test("a failed emit says what it failed with", async () => {
    await using host = new TelemetryHost()
    await using engine = await watchedLog(database)
    const emit = engine.log.emit("note-failed", { type: "noted" }, { expected: 7 })
    await expect(engine.run(emit)).rejects.toThrow("expected was 7")
    const span = await host.span(emitSpan)
    expect(span.status).toMatchObject({
      code: SpanStatusCode.ERROR,
      message: expect.stringContaining("version 0")
    })
    expect(span.attributes["error.type"]).toBe("VersionConflict")
    expect(span.events.map((event) => event.name)).toEqual(["exception"])
  })

  test("an append to several streams says how many", async () => {
    await using host = new TelemetryHost()
    await using engine = await watchedLog(database)
    const parts = ["note-a1", "note-a2"].map((stream) => ({
      stream,
      events: [{ type: "noted" }, { type: "noted" }]
    }))
    await engine.run(engine.log.emitAll(parts))
    const span = await host.span(emitSpan)
    expect(span.attributes).toMatchObject({ "tidemark.streams": 2, "tidemark.events": 4 })
    expect(span.attributes).not.toHaveProperty("tidemark.stream")
  })

  test("a read is a span from its first page to its last event", async () => {
    await using host = new TelemetryHost()
    await using engine = await watchedLog(database)
    await engine.emit("note-read")
    await host.inside("request", async () => {
      for await (const event of Stream.toAsyncIterable(engine.log.read("note-read"))) {
        expect(event.type).toBe("noted")
        expect(host.spans(readSpan)).toEqual([])
      }
    })
    const span = await host.span(readSpan)
    expect(parentOf(span)).toBe(idOf(await host.span("request")))
    expect(span.attributes).toEqual({ "tidemark.stream": "note-read" })
  })

  test("a replay is a span that ends when the loop has what it wants", async () => {
    await using host = new TelemetryHost()
    await using engine = await watchedLog(database)
    await engine.emit("note-replayed")
    await host.inside("request", async () => {
      for await (const _ of Stream.toAsyncIterable(engine.log.replay({ streams: ["note-replayed"] })))
        expect(host.spans(replaySpan)).toEqual([])
    })
    expect(parentOf(await host.span(replaySpan))).toBe(idOf(await host.span("request")))
  })

  test("what a transaction's caller does belongs to the transaction's span", async () => {
    await using host = new TelemetryHost()
    await using engine = await watchedLog(database)
    await host.inside("request", () =>
      engine.run(
        engine.log.transaction((tx) =>
          Effect.gen(function* () {
            yield* tx.emit("note-transacted", { type: "noted" })
            yield* Effect.withSpan(Effect.void, "caller's effect")
            yield* Effect.promise(() => host.inside("caller's promise", () => Promise.resolve()))
          })
        )
      )
    )
    const span = await host.span(transactionSpan)
    expect(parentOf(span)).toBe(idOf(await host.span("request")))
    expect(parentOf(await host.span("caller's effect"))).toBe(idOf(span))
    expect(parentOf(await host.span("caller's promise"))).toBe(idOf(span))
    const [event] = await engine.events("note-transacted")
    expect(event!.meta.traceparent).toBe(traceparentOf(span))
  })

  test("code that runs in the caller's own context is brought into the span again", async () => {
    await using host = new TelemetryHost()
    await using engine = await watchedLog(database)
    await host.inside("request", () => {
      const around = context.active()
      const asCaller = (body: () => Promise<void>) => context.with(around, body)
      return engine.run(
        engine.log.transaction(() =>
          Effect.flatMap(withinSpan, (inSpan) =>
            Effect.promise(() => asCaller(() => inSpan(() => host.inside("body", () => Promise.resolve()))))
          )
        )
      )
    })
    expect(parentOf(await host.span("body"))).toBe(idOf(await host.span(transactionSpan)))
  })

  test("an effect with a tracer of its own keeps it", async () => {
    await using host = new TelemetryHost()
    await using engine = await watchedLog(database)
    const names: Array<string> = []
    const own = Tracer.make({
      span: (options) => {
        names.push(options.name)
        return new Tracer.NativeSpan(options)
      }
    })
    await engine.run(Effect.withTracer(engine.log.emit("note-own_tracer", { type: "noted" }), own))
    const [event] = await engine.events("note-own_tracer")
    expect(names).toEqual([emitSpan])
    expect(host.spans(emitSpan)).toEqual([])
    expect(event!.meta.traceparent).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/)
  })

  test("an effect below a span from elsewhere goes on with its trace", async () => {
    await using host = new TelemetryHost()
    await using engine = await watchedLog(database)
    const elsewhere = Tracer.externalSpan({ ...REMOTE, sampled: true })
    const emit = engine.log.emit("note-elsewhere", { type: "noted" })
    await engine.run(Effect.withParentSpan(emit, elsewhere))
    const span = await host.span(emitSpan)
    expect(traceOf(span)).toBe(REMOTE.traceId)
    expect(parentOf(span)).toBe(REMOTE.spanId)
  })

  test("a host that sets up its telemetry after the engine is found", async () => {
    await using engine = await watchedLog(database)
    await engine.emit("note-early")
    await using host = new TelemetryHost()
    await engine.emit("note-late")
    const span = await host.span(emitSpan)
    expect(span.attributes[TELEMETRY_NAMES.stream]).toBe("note-late")
    expect(await host.value("tidemark.events.emitted")).toBe(1)
  })
})
