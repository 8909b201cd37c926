import { describe, expect, test } from "vitest"
import { HandlerFailed, type Event } from "../../../src/index.ts"
import { collector } from "../../support/eventually.ts"
import { testLog, upTo } from "../test-log.ts"

const log = testLog()

const failingAt = (version: number, failure: unknown, heard: Array<number>) => (event: Event) => {
  if (event.version === version) throw failure
  heard.push(event.version)
}

const poisoned = async (failure: unknown, handle = failingAt) => {
  const stream = log.stream()
  const heard: Array<number> = []
  const subscription = await log.engine.subscribe({ streams: [stream] }, handle(3, failure, heard))
  const { events } = await log.engine.emit(
    stream,
    upTo(5).map((n) => ({ type: n === 3 ? "Poison" : "Fine" }))
  )
  const reason = await subscription.done.catch((error: unknown) => error)
  return { stream, heard, subscription, poison: events[2]!, reason }
}

describe("a handler that fails", () => {
  test("stops its subscription before that event, and says which and why", async () => {
    const failure = new RangeError("does not fit")
    const { heard, subscription, poison, reason } = await poisoned(failure)
    expect(reason).toBeInstanceOf(HandlerFailed)
    expect(reason).toMatchObject({
      position: poison.position,
      type: "Poison",
      detail: "does not fit",
      cause: failure
    })
    expect((reason as Error).message).toContain(`subscribe from position ${poison.position - 1}`)
    expect(heard).toEqual([1, 2])
    expect(subscription.status()).toEqual({
      state: "failed",
      position: poison.position - 1,
      buffered: expect.any(Number),
      error: (reason as Error).message
    })
    await subscription.stop()
    expect(subscription.status().state).toBe("failed")
  })

  test("by a promise that rejects is no different", async () => {
    const { heard, reason } = await poisoned(
      new Error("later"),
      (version, failure, seen) => async (event) => {
        await Promise.resolve()
        failingAt(version, failure, seen)(event)
      }
    )
    expect(reason).toMatchObject({ _tag: "HandlerFailed", detail: "later" })
    expect(heard).toEqual([1, 2])
  })

  test.each([
    ["a text", "sorry", "sorry"],
    ["nothing", undefined, "undefined"],
    ["an object", { code: 7 }, "[object Object]"]
  ])("with %s instead of an error is no different", async (_, failure, detail) => {
    expect((await poisoned(failure)).reason).toMatchObject({ _tag: "HandlerFailed", detail })
  })

  test("is seen in the engine's status, and does no harm to its other subscriptions", async () => {
    const stream = log.stream()
    const heard = collector<number>()
    const other = await log.engine.subscribe({ streams: [stream] }, ({ version }) => heard.push(version))
    const failing = await log.engine.subscribe({ streams: [stream] }, failingAt(3, new Error("no"), []))
    await log.engine.emit(
      stream,
      upTo(5).map(() => ({ type: "N" }))
    )
    await expect(failing.done).rejects.toThrow("no")
    await log.engine.emit(stream, { type: "N" })
    expect(await heard.reaches(6)).toEqual(upTo(6))
    const { subscriptions } = await log.engine.status()
    expect(subscriptions).toContainEqual(failing.status())
    expect(subscriptions).toContainEqual(expect.objectContaining({ state: "live" }))
    await Promise.all([other.stop(), failing.stop()])
  })

  test("loses nothing: who subscribes from its position hears that event first", async () => {
    const { stream, subscription, heard } = await poisoned(new Error("no"))
    const again = collector<number>()
    const next = await log.engine.subscribe(
      { from: subscription.position, streams: [stream] },
      ({ version }) => again.push(version)
    )
    expect([...heard, ...(await again.reaches(3))]).toEqual(upTo(5))
    await next.stop()
  })

  test("while it catches up is no different", async () => {
    const stream = log.stream()
    await log.engine.emit(
      stream,
      upTo(5).map(() => ({ type: "Old" }))
    )
    const heard: Array<number> = []
    const subscription = await log.engine.subscribe(
      { from: "start", streams: [stream] },
      failingAt(4, new Error("no"), heard)
    )
    await expect(subscription.done).rejects.toBeInstanceOf(HandlerFailed)
    expect(heard).toEqual([1, 2, 3])
  })
})

test("a subscription that is asked for wrongly is refused, and is not left behind", async () => {
  const { length } = (await log.engine.status()).subscriptions
  const wrong = [
    { streams: ["no stream"] },
    { streams: [] },
    { categories: ["a-b"] },
    { types: ["a b"] },
    { types: [] },
    { labels: [""] },
    { labels: ["a\u0000"] },
    { agent: "" },
    { agent: "a\u0000b" }
  ]
  for (const filter of wrong) {
    await expect(log.engine.subscribe(filter, () => {})).rejects.toMatchObject({
      _tag: expect.stringMatching(/^Invalid/)
    })
  }
  await expect(log.engine.subscribe({}, "handler" as never)).rejects.toMatchObject({
    _tag: "InvalidArgument"
  })
  expect((await log.engine.status()).subscriptions).toHaveLength(length)
})
