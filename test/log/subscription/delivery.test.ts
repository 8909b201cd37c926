import { describe, expect, test } from "vitest"
import type { Engine, Event, From, Subscription } from "../../../src/index.ts"
import { collector, deferred, inTime, until } from "../../support/eventually.ts"
import { testLog, upTo } from "../test-log.ts"

const log = testLog()

const emit = (type: string, stream = log.stream(), engine = log.engine) => engine.emit(stream, { type })

/** Follows one stream, so that the tests of a file do not hear each other. */
const follow = async (stream: string, from: From, engine: Engine = log.engine) => {
  const heard = collector<Event>()
  const subscription = await engine.subscribe({ from, streams: [stream] }, heard.push)
  return {
    heard,
    subscription,
    hears: async (count: number) => (await heard.reaches(count)).map(({ type }) => type)
  }
}

describe("a subscription", () => {
  test.each(["start", 0] as const)(
    "from %s hears what was there before it and what comes after",
    async (from) => {
      const stream = log.stream()
      await emit("Before", stream)
      const { hears, subscription } = await follow(stream, from)
      await emit("After", stream)
      expect(await hears(2)).toEqual(["Before", "After"])
      await subscription.stop()
    }
  )

  test("from now, and without a from, hears only what comes after", async () => {
    const stream = log.stream()
    await emit("Before", stream)
    const { hears, subscription } = await follow(stream, "now")
    const other = collector<string>()
    const default_ = await log.engine.subscribe({ streams: [stream] }, ({ type }) => other.push(type))
    await emit("After", stream)
    expect(await hears(1)).toEqual(["After"])
    expect(await other.reaches(1)).toEqual(["After"])
    await Promise.all([subscription.stop(), default_.stop()])
  })

  test.each(["position", "token"] as const)(
    "from a %s hears what comes after that, and not that itself",
    async (what) => {
      const stream = log.stream()
      await emit("Before", stream)
      const here = await emit("Here", stream)
      await emit("Next", stream)
      const { hears, subscription } = await follow(stream, here[what])
      await emit("After", stream)
      expect(await hears(2)).toEqual(["Next", "After"])
      await subscription.stop()
    }
  )

  test("hears each event as it was emitted, once, in the order of positions, from every stream", async () => {
    const streams = upTo(5).map(() => log.stream("mixed"))
    const heard = collector<Event>()
    const subscription = await log.engine.subscribe({ categories: ["mixed"] }, heard.push)
    const other = await log.open()
    const emitted = await Promise.all(
      upTo(200).map((n) =>
        (n % 2 === 0 ? log.engine : other).emit(streams[n % 5]!, {
          type: "N",
          data: { n },
          labels: [`n:${n}`]
        })
      )
    )
    const events = await heard.reaches(200)
    expect(events.map(({ position }) => position)).toEqual(
      emitted.map(({ position }) => position).toSorted((a, b) => a - b)
    )
    for (const { data, labels, position } of events) {
      const { n } = data as { n: number }
      expect([labels, emitted[n - 1]!.position]).toEqual([[`n:${n}`], position])
    }
    await subscription.stop()
    expect(heard.items).toHaveLength(200)
  })

  test("hears another engine's events at once, by NOTIFY", async () => {
    const stream = log.stream()
    const other = await log.open()
    await until(async () => (await other.status()).wake.mode === "listening")
    const { hears, subscription } = await follow(stream, "now", other)
    await emit("Elsewhere", stream)
    const began = performance.now()
    await hears(1)
    // The reader looks by itself only every 5 s.
    expect(performance.now() - began).toBeLessThan(2_000)
    await subscription.stop()
  })

  test("catches up over many pages while more comes, without a gap or a doubling", async () => {
    const stream = log.stream()
    await log.engine.emit(
      stream,
      upTo(3_500).map(() => ({ type: "Old" }))
    )
    const { heard, subscription } = await follow(stream, "start")
    for (const _ of upTo(20)) await emit("New", stream)
    const events = await heard.reaches(3_520)
    expect(events.map(({ version }) => version)).toEqual(upTo(3_520))
    await subscription.stop()
  })

  test("waits for its handler before the next event", async () => {
    const stream = log.stream()
    let running = 0
    const heard = collector<number>()
    const subscription = await log.engine.subscribe({ streams: [stream] }, async ({ version }) => {
      running += 1
      expect(running).toBe(1)
      await new Promise((resolve) => setImmediate(resolve))
      running -= 1
      heard.push(version)
    })
    await log.engine.emit(
      stream,
      upTo(30).map(() => ({ type: "N" }))
    )
    expect(await heard.reaches(30)).toEqual(upTo(30))
    await subscription.stop()
  })

  test("tells where it is: everything of its filter up to its position was handled", async () => {
    const stream = log.stream()
    const gate = deferred()
    const { subscription } = await follow(stream, "now")
    const slow = await log.engine.subscribe({ streams: [stream] }, () => gate.promise)
    const { position } = await emit("A", stream)
    await until(() => subscription.position >= position)
    expect(subscription.status()).toMatchObject({ state: "live", buffered: 0, error: undefined })
    expect(slow.position).toBeLessThan(position)
    expect(slow.lag).toBeGreaterThan(0)
    gate.resolve()
    await until(() => slow.position >= position)
    const other = await emit("B")
    // What its filter leaves out is behind it too.
    await until(() => subscription.position >= other.position && slow.lag === 0)
    await Promise.all([subscription.stop(), slow.stop()])
  })

  test("that is stopped hears nothing more, and done resolves", async () => {
    const stream = log.stream()
    const { heard, subscription } = await follow(stream, "now")
    await emit("Heard", stream)
    await heard.reaches(1)
    await subscription.stop()
    await subscription.done
    await emit("Missed", stream)
    await log.engine.settled()
    expect(heard.items).toHaveLength(1)
    expect(subscription.status().state).toBe("stopped")
    await subscription.stop()
  })

  test("may be stopped at any moment", async () => {
    const stream = log.stream()
    await log.engine.emit(
      stream,
      upTo(20).map(() => ({ type: "N" }))
    )
    for (const turns of upTo(40)) {
      const subscription = await log.engine.subscribe(
        { from: turns % 2 === 0 ? "start" : "now", streams: [stream] },
        () => {}
      )
      for (let turn = 1; turn < turns; turn += 1)
        await (turn % 5 === 0 ? new Promise(setImmediate) : Promise.resolve())
      if (turns % 3 === 0) void emit("N", stream)
      await inTime(subscription.stop())
      expect(subscription.status().state).toBe("stopped")
    }
  })

  test("may stop itself in its handler, and hears nothing after that event", async () => {
    const stream = log.stream()
    const heard = collector<number>()
    const started = deferred<Subscription>()
    const subscription = await log.engine.subscribe(
      { from: "start", streams: [stream] },
      async ({ version }) => {
        heard.push(version)
        if (version === 3) await (await started.promise).stop()
      }
    )
    started.resolve(subscription)
    await log.engine.emit(
      stream,
      upTo(10).map(() => ({ type: "N" }))
    )
    await subscription.done
    expect(heard.items).toEqual([1, 2, 3])
  })

  test("stop waits for the handler to end with its event, where another than the handler asks", async () => {
    const stream = log.stream()
    const [began, release] = [deferred(), deferred()]
    let ended = false
    const subscription = await log.engine.subscribe({ streams: [stream] }, async () => {
      began.resolve()
      await release.promise
      ended = true
    })
    await emit("A", stream)
    await began.promise
    const stopping = subscription.stop().then(() => ended)
    release.resolve()
    expect(await stopping).toBe(true)
  })

  test("is stopped by the close of its engine", async () => {
    const engine = await log.open()
    const { heard, subscription } = await follow(log.stream(), "now", engine)
    await engine.close()
    await subscription.done
    expect(heard.items).toEqual([])
    expect(subscription.status().state).toBe("stopped")
  })

  test("that begins when all others have ended hears what came in between, where it goes on", async () => {
    const stream = log.stream()
    const engine = await log.open()
    const first = await follow(stream, "now", engine)
    const { token } = await emit("Heard", stream)
    await first.hears(1)
    await first.subscription.stop()
    await emit("Between", stream)
    const second = await follow(stream, token, engine)
    await emit("After", stream)
    expect(await second.hears(2)).toEqual(["Between", "After"])
    await second.subscription.stop()
  })
})

test("many that begin and end while events come each hear a whole stretch", async () => {
  const stream = log.stream()
  let emitting = true
  const emitted = (async () => {
    let count = 0
    while (emitting) {
      await emit("N", stream)
      count += 1
    }
    return count
  })()
  const some = async (nth: number) => {
    const heard = collector<number>()
    const subscription = await log.engine.subscribe(
      { from: nth % 2 === 0 ? "start" : "now", streams: [stream] },
      ({ version }) => heard.push(version)
    )
    await heard.reaches(10 + nth)
    await subscription.stop()
    const first = heard.items[0]!
    expect(heard.items).toEqual(upTo(heard.items.length).map((n) => first + n - 1))
    if (nth % 2 === 0) expect(first).toBe(1)
  }
  for (const _ of upTo(3)) await Promise.all(upTo(8).map(some))
  emitting = false
  expect(await emitted).toBeGreaterThan(10)
})
