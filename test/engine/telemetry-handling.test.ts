import { SpanKind, SpanStatusCode } from "@opentelemetry/api"
import type { ReadableSpan } from "@opentelemetry/sdk-trace-base"
import { describe, expect, test } from "vitest"
import { open } from "../../src/index.ts"
import type { Event } from "../../src/log/event.ts"
import { TELEMETRY_NAMES } from "../../src/log/telemetry.ts"
import { testDatabase } from "../support/database.ts"
import { collector, deferred } from "../support/eventually.ts"
import { idOf, parentOf, TelemetryHost, traceOf, traceparentOf } from "./telemetry-host.ts"
import { watchedLog } from "./watched-log.ts"

const database = testDatabase()

const { emitSpan, handleSpan, eventsDelivered } = TELEMETRY_NAMES

describe("traces across agents", () => {
  test("a handler goes on with the trace of its event, and what it emits does too", async () => {
    await using host = new TelemetryHost()
    await using asking = await watchedLog(database)
    await using answering = await watchedLog(database)
    const answers = collector<Event>()
    await asking.subscribe("note-answer", answers.push)
    await answering.subscribe("note-question", async (event) => {
      await host.inside("thinking", () => Promise.resolve())
      await answering.emit("note-answer", { to: event.id })
    })
    await host.inside("request", () => asking.emit("note-question"))
    const answer = await answers.first(() => true)

    const isOf = (stream: string) => (span: ReadableSpan) =>
      span.attributes[TELEMETRY_NAMES.stream] === stream
    const question = await host.span(emitSpan, isOf("note-question"))
    const handled = await host.span(handleSpan, isOf("note-question"))
    const answered = await host.span(emitSpan, isOf("note-answer"))
    const heard = await host.span(handleSpan, isOf("note-answer"))
    const chain = [await host.span("request"), question, handled, answered, heard]
    for (let index = 1; index < chain.length; index++)
      expect(parentOf(chain[index]!)).toBe(idOf(chain[index - 1]!))
    expect(parentOf(await host.span("thinking"))).toBe(idOf(handled))
    expect(answer.meta).toMatchObject({
      traceparent: traceparentOf(answered),
      causationId: (await asking.events("note-question"))[0]!.id
    })
  })

  test("a handler's span names its event and lasts as long as the handler", async () => {
    await using host = new TelemetryHost()
    await using engine = await watchedLog(database)
    const may = deferred()
    const begun = deferred<Event>()
    await engine.subscribe("note-handled", (event) => {
      begun.resolve(event)
      return may.promise
    })
    await engine.emit("note-handled")
    const event = await begun.promise
    expect(host.spans(handleSpan)).toEqual([])
    may.resolve()
    const span = await host.span(handleSpan)
    expect(span.kind).toBe(SpanKind.CONSUMER)
    expect(span.attributes).toEqual({
      "tidemark.stream": "note-handled",
      "tidemark.position": event.position,
      "tidemark.version": 1,
      "tidemark.event.id": event.id,
      "tidemark.event.type": "noted"
    })
  })

  test("a handler does not belong to the span in which somebody subscribed", async () => {
    await using host = new TelemetryHost()
    await using engine = await watchedLog(database)
    await database.query(`select tidemark.append_events('note-plain', '[{"type": "noted"}]')`)
    const seen = deferred()
    await host.inside("subscribing", async () => {
      await engine.subscribe("note-plain", () => seen.resolve(), "start")
      await seen.promise
    })
    const span = await host.span(handleSpan)
    expect(parentOf(span)).toBeUndefined()
    expect(traceOf(span)).not.toBe(traceOf(await host.span("subscribing")))
  })

  test.each(["nonsense", "00-00000000000000000000000000000000-0000000000000000-01"])(
    "a handler of an event with the trace context %j begins a trace",
    async (traceparent) => {
      await using host = new TelemetryHost()
      await using engine = await watchedLog(database)
      const seen = deferred()
      await engine.subscribe("note-garbled", () => seen.resolve())
      await engine.emit("note-garbled", {}, { traceparent })
      await seen.promise
      expect(parentOf(await host.span(handleSpan))).toBeUndefined()
    }
  )

  test.each([
    [
      "throws",
      () => {
        throw new TypeError("no way to postgres://me:hunter2@db/x")
      }
    ],
    ["rejects", () => Promise.reject(new TypeError("no way to postgres://me:hunter2@db/x"))]
  ] as ReadonlyArray<readonly [string, () => unknown]>)(
    "a handler that %s says so on its span, without secrets",
    async (how, handler) => {
      await using host = new TelemetryHost()
      await using engine = await watchedLog(database)
      const subscription = await engine.subscribe(`note-${how}`, handler)
      await engine.emit(`note-${how}`)
      await expect(subscription.done).rejects.toThrow("The handler failed")
      const span = await host.span(handleSpan)
      expect(span.status.code).toBe(SpanStatusCode.ERROR)
      expect(span.attributes["error.type"]).toBe("TypeError")
      expect(JSON.stringify([span.status, span.events, span.attributes])).not.toContain("hunter2")
      expect(span.status.message).toContain("postgres://me:[redacted]@db/x")
    }
  )
})

describe("a batch of several events", () => {
  /** Hands three events of two traces, and one of none, to a durable subscription's handler at once. */
  const handled = async (host: TelemetryHost, name: string, handler: () => unknown) => {
    await using writing = await open({ database: database.url, logger: false })
    const streams = [`${name}-1`]
    await host.inside("one", () => writing.emit(streams[0]!, [{ type: "noted" }, { type: "noted" }]))
    await host.inside("other", () => writing.emit(streams[0]!, { type: "noted" }))
    await database.query(`select tidemark.append_events($1, '[{"type": "noted"}]')`, streams)
    // Opened now, it knows all of them to be settled when it begins.
    await using engine = await open({ database: database.url, logger: false })
    const given = deferred<ReadonlyArray<Event>>()
    const subscription = await engine.subscribe({ name, from: "start", streams, batch: 10 }, (events) => {
      given.resolve(events)
      return handler()
    })
    const events = await given.promise
    const span = await host.span(handleSpan)
    await subscription.stop()
    return { events, span }
  }

  test("is handled in one span, linked to where each of them was emitted, and in a trace of its own", async () => {
    await using host = new TelemetryHost()
    const inside = deferred<string>()
    const { events, span } = await handled(host, "batched", () =>
      host.inside("thinking", (own) => Promise.resolve(inside.resolve(own.spanContext().traceId)))
    )
    expect(events).toHaveLength(4)
    expect(span.kind).toBe(SpanKind.CONSUMER)
    expect(span.attributes).toEqual({
      "tidemark.events": 4,
      "tidemark.position": events.at(-1)!.position
    })
    expect(parentOf(span)).toBeUndefined()
    expect(await inside.promise).toBe(traceOf(span))
    const [one, other] = host.spans(emitSpan)
    expect(span.links.map(({ context, attributes }) => [context.spanId, attributes])).toEqual(
      [one, one, other].map((emitted, at) => [
        idOf(emitted!),
        {
          "tidemark.stream": "batched-1",
          "tidemark.position": events[at]!.position,
          "tidemark.version": at + 1,
          "tidemark.event.id": events[at]!.id,
          "tidemark.event.type": "noted"
        }
      ])
    )
    expect(await host.value(eventsDelivered)).toBe(4)
  })

  test("whose handler fails says so on its span", async () => {
    await using host = new TelemetryHost()
    const { span } = await handled(host, "failing", () => Promise.reject(new TypeError("no way")))
    expect(span.status.code).toBe(SpanStatusCode.ERROR)
    expect(span.attributes["error.type"]).toBe("TypeError")
  })
})
