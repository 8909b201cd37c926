import { describe, expect, test } from "vitest"
import type { HeldEvent } from "../../src/index.ts"
import { collector, deferred, until } from "../support/eventually.ts"
import { upTo } from "../log/test-log.ts"
import { consumerLog, failingOn, SOON, word } from "./scene.ts"

const log = consumerLog()

const parkedOf = async (name: string) => {
  const parked = await until(async () => {
    const all = await log.engine.subscription(name).parked()
    return all.length > 0 && all
  })
  return parked
}

describe("an event that its handler fails on", () => {
  test("is tried again until it is handled, and its stream goes on then, in order", async () => {
    const one = log.fresh()
    const [category] = one.categories
    const { calls, handler } = failingOn((word, { attempt }) => word === "a2" && attempt < 3)
    const subscription = await log.engine.subscribe({ ...one, retry: SOON }, handler)
    await log.emit(`${category}-a`, 1, 2, 3, 4)
    await calls.reaches(6)
    expect(calls.items).toEqual(["a1", "a2!", "a2!", "a2", "a3", "a4"])
    await subscription.stop()
  })

  test("does not keep other streams waiting", async () => {
    const one = log.fresh()
    const [category] = one.categories
    const { calls, handler } = failingOn((word) => word === "a1")
    const retry = { attempts: 100, firstMs: 60_000, longestMs: 60_000 }
    const subscription = await log.engine.subscribe({ ...one, retry }, handler)
    await log.emit(`${category}-a`, 1, 2)
    await log.emit(`${category}-b`, 1, 2)
    await calls.reaches(3)
    expect(calls.items).toEqual(["a1!", "b1", "b2"])
    const { held } = await until(async () => {
      const status = await subscription.control.status()
      return status.held.waiting === 1 && status
    })
    expect(held).toEqual({ retrying: 1, waiting: 1, parked: 0 })
    await subscription.stop()
  })

  test("waits ever longer, a random part of it, and never longer than the longest", async () => {
    const { retryMs } = await import("../../src/consumer/held.ts")
    const retry = { attempts: 9, firstMs: 100, longestMs: 1_000, giveUp: "park", others: "wait" } as const
    const most = (attempts: number) => Math.max(...upTo(400).map(() => retryMs(retry, attempts)))
    const least = (attempts: number) => Math.min(...upTo(400).map(() => retryMs(retry, attempts)))
    expect(most(1)).toBeLessThanOrEqual(100)
    expect(most(2)).toBeGreaterThan(150)
    expect(most(30)).toBeGreaterThan(900)
    expect(most(30)).toBeLessThanOrEqual(1_000)
    expect(least(30)).toBeLessThan(100)
  })

  test("is parked after the last attempt, with what was thrown each time; later events of its stream wait", async () => {
    const one = log.fresh()
    const [category] = one.categories
    const told = collector<HeldEvent>()
    const { calls, handler } = failingOn((word) => word === "a1")
    const subscription = await log.engine.subscribe(
      { ...one, retry: { ...SOON, attempts: 3 }, onParked: told.push },
      handler
    )
    const [position] = await log.emit(`${category}-a`, 1, 2)
    const { id } = (await told.reaches(1))[0]!
    await log.emit(`${category}-b`, 1)
    await calls.reaches(4)
    expect(calls.items.toSorted()).toEqual(["a1!", "a1!", "a1!", "b1"])
    expect(await parkedOf(one.name)).toMatchObject([
      {
        position,
        id,
        partition: 0,
        stream: `${category}-a`,
        version: 1,
        type: "Numbered",
        state: "parked",
        attempts: 3,
        errors: upTo(3).map((attempt) => ({ attempt, message: `no a1, attempt ${attempt}` }))
      }
    ])
    await until(async () => (await subscription.control.status()).held.waiting === 1)
    expect((await subscription.control.status()).held).toEqual({ retrying: 0, waiting: 1, parked: 1 })
    await subscription.stop()
  })

  test("is passed by later events of its stream, where that is asked for", async () => {
    const one = log.fresh()
    const [category] = one.categories
    // Were they to wait for it, it would fail for ever; how soon it is tried again is left to chance.
    const { calls, handler } = failingOn((word) => word === "a1" && !calls.items.includes("a3"))
    const subscription = await log.engine.subscribe(
      { ...one, retry: { firstMs: 50, longestMs: 50, attempts: 1_000, others: "pass" } },
      handler
    )
    await log.emit(`${category}-a`, 1, 2, 3)
    await calls.first((each) => each === "a1")
    expect(calls.items[0]).toBe("a1!")
    expect(calls.items.filter((each) => !each.startsWith("a1"))).toEqual(["a2", "a3"])
    await subscription.stop()
  })

  test("stops its partition after the last attempt, where that is asked for, until it is resumed", async () => {
    const one = log.fresh()
    const [category] = one.categories
    let mended = false
    const { calls, handler } = failingOn((word) => word === "a2" && !mended)
    const retry = { ...SOON, attempts: 2, giveUp: "stop" } as const
    const subscription = await log.engine.subscribe({ ...one, retry }, handler)
    const [, position] = await log.emit(`${category}-a`, 1, 2)
    await until(async () => (await subscription.control.status()).partitions[0]!.state === "stopped")
    const [partition] = (await subscription.control.status()).partitions
    expect(partition!.error).toBe(
      `Partition 0 of subscription "${one.name}" stopped: event ${position} (Numbered) could not be handled in 2 attempts: no a2, attempt 2. Mend the handler, then resume the subscription: the event is tried again.`
    )
    await log.emit(`${category}-b`, 1)
    expect(calls.items).toEqual(["a1", "a2!", "a2!"])
    mended = true
    await subscription.control.resume()
    await calls.reaches(5)
    expect(calls.items.slice(3).toSorted()).toEqual(["a2", "b1"])
    await subscription.stop()
  })

  test("goes on being tried by the engine that takes over", async () => {
    const one = log.fresh()
    const [category] = one.categories
    const engine = await log.open()
    const retry = { attempts: 5, firstMs: 300, longestMs: 300 }
    const first = failingOn(() => true)
    await engine.subscribe({ ...one, retry }, first.handler)
    await log.emit(`${category}-a`, 1, 2)
    await first.calls.reaches(1)
    await engine.close()
    const second = failingOn(() => false)
    const attempts: Array<number> = []
    const subscription = await log.engine.subscribe({ ...one, retry }, (event, context) => {
      attempts.push(context.attempt)
      second.handler(event, context)
    })
    await second.calls.reaches(2)
    expect(second.calls.items).toEqual(["a1", "a2"])
    expect(attempts).toEqual([2, 1])
    await subscription.stop()
  })

  test("and is handled at last leaves those that wait behind it to whoever comes next", async () => {
    const one = log.fresh()
    const stream = `${one.categories[0]}-a`
    const first = failingOn((word, { attempt }) => word === "a1" && attempt === 1)
    const subscription = await log.engine.subscribe(
      { ...one, retry: { firstMs: 300, longestMs: 300 } },
      async (event, context) => {
        first.handler(event, context)
        if (word(event) === "a1") await subscription.stop()
      }
    )
    await log.emit(stream, 1, 2, 3)
    await subscription.done
    expect(first.calls.items).toEqual(["a1!", "a1"])
    const second = failingOn(() => false)
    const again = await log.engine.subscribe(one, second.handler)
    await second.calls.reaches(2)
    expect(second.calls.items).toEqual(["a2", "a3"])
    await until(async () => (await again.control.status()).held.retrying === 0)
    await again.stop()
  })

  test("is one of a thousand in a partition at most: until one of them is settled, nothing new is taken on", async () => {
    const one = log.fresh()
    const [category] = one.categories
    const parts = upTo(1_050).map((n) => ({
      stream: `${category}-s${n}`,
      events: { type: "Numbered", data: { n } }
    }))
    const { calls, handler } = failingOn(() => true)
    const retry = { attempts: 9, firstMs: 600_000, longestMs: 600_000 }
    const subscription = await log.engine.subscribe({ ...one, retry }, handler)
    for (const some of [parts.slice(0, 500), parts.slice(500)]) await log.engine.emitAll(some)
    await calls.reaches(1_000, { within: 20_000 })
    await until(async () => (await subscription.control.status()).held.retrying >= 1_000)
    const { held, lag } = await subscription.control.status()
    expect(held.retrying).toBe(1_000)
    expect(lag.atLeast).toBeGreaterThanOrEqual(50)
    await subscription.stop()
  })

  test("is of one of ten thousand streams in a partition at most: until one of them is free, nothing new is taken on", async () => {
    const one = log.fresh()
    const stream = `${one.categories[0]}-a`
    const handled = collector<string>()
    const noted = (event: Parameters<typeof word>[0]) => handled.push(word(event))
    const first = await log.engine.subscribe(one, noted)
    await log.emit(stream, 1)
    await handled.reaches(1)
    await first.stop()
    await log.db.query(
      `insert into tidemark.held_events (subscription, position, partition, stream, type, state)
       select $1, -n, 0, 'parked-' || n, 'Numbered', 'parked' from generate_series(1, 10000) n`,
      [one.name]
    )
    const again = await log.engine.subscribe(one, noted)
    const [second] = await log.emit(stream, 2)
    await until(() => again.partitions().some(({ error }) => error?.includes("nothing new") === true))
    expect(handled.items).toEqual(["a1"])
    await log.db.query("delete from tidemark.held_events where subscription = $1 and position = -1", [
      one.name
    ])
    await again.control.rewind(second! - 1)
    await handled.first((each) => each === "a2")
    await again.stop()
    await log.db.query("delete from tidemark.held_events where subscription = $1", [one.name])
  })

  test("together with others is found among them, and only it is held", async () => {
    const one = log.fresh()
    const [category] = one.categories
    for (const id of ["a", "b", "c"]) await log.emit(`${category}-${id}`, 1)
    const handled = collector<string>()
    const subscription = await log.engine.subscribe(
      { ...one, from: "start", batch: 10, retry: { ...SOON, attempts: 2 } },
      (events) => {
        if (events.some((event) => word(event) === "b1")) throw new Error("no")
        for (const event of events) handled.push(word(event))
      }
    )
    expect((await parkedOf(one.name)).map(({ stream }) => stream)).toEqual([`${category}-b`])
    expect(await handled.reaches(2)).toEqual(["a1", "c1"])
    await subscription.stop()
  })
})

describe("a handler that does not end", () => {
  test("fails at its deadline, is told so by its signal, and the next event comes", async () => {
    const one = log.fresh()
    const [category] = one.categories
    const reasons = collector<unknown>()
    const heard = collector<string>()
    const subscription = await log.engine.subscribe(
      { ...one, timeoutMs: 50, retry: { ...SOON, attempts: 2 } },
      (event, { signal }) => {
        heard.push(word(event))
        if (word(event) !== "a1") return undefined
        signal.addEventListener("abort", () => reasons.push(signal.reason))
        return new Promise(() => undefined)
      }
    )
    await log.emit(`${category}-a`, 1)
    await log.emit(`${category}-b`, 1)
    await heard.first((one) => one === "b1")
    const [parked] = await parkedOf(one.name)
    expect(parked!.errors[0]!.message).toMatch(
      /^The handler did not end before its deadline \(.*, after \d+ ms\)/
    )
    expect(await reasons.reaches(2)).toMatchObject([
      { _tag: "HandlingCut", why: "deadline" },
      { why: "deadline" }
    ])
    await subscription.stop()
  })

  test("does not have all its attempts in a row: other streams go on between them", async () => {
    const one = log.fresh()
    const [category] = one.categories
    await log.emit(`${category}-a`, 1)
    await log.emit(`${category}-b`, ...upTo(200))
    const calls = collector<string>()
    const subscription = await log.engine.subscribe(
      { ...one, from: "start", timeoutMs: 100, retry: { attempts: 4, firstMs: 0, longestMs: 0 } },
      (event) => {
        calls.push(word(event))
        return new Promise((done) => word(event) !== "a1" && setTimeout(done, 5))
      }
    )
    await parkedOf(one.name)
    // What is asked for a second time is still the first run; from then on both have their turns.
    expect(calls.items.slice(0, 3)).toEqual(["a1", "a1", "b1"])
    const times = calls.items.flatMap((each, index) => (each === "a1" ? [index] : []))
    expect(times).toHaveLength(4)
    for (const run of [1, 2]) expect(times[run + 1]! - times[run]!).toBeGreaterThan(1)
    await subscription.stop()
  })

  test("does not keep the subscription from being stopped, which takes four seconds at most; its event is not lost", async () => {
    const one = log.fresh()
    const entered = deferred()
    const aborted = deferred()
    const subscription = await log.engine.subscribe(one, (_, { signal }) => {
      signal.addEventListener("abort", () => aborted.resolve())
      entered.resolve()
      return new Promise(() => undefined)
    })
    await log.emit(`${one.categories[0]}-a`, 1)
    await entered.promise
    const since = performance.now()
    await subscription.stop()
    expect(performance.now() - since).toBeLessThan(5_500)
    await aborted.promise
    const again = failingOn(() => false)
    const next = await log.engine.subscribe(one, again.handler)
    expect(await again.calls.reaches(1)).toEqual(["a1"])
    expect((await next.control.status()).held).toEqual({ retrying: 0, waiting: 0, parked: 0 })
    await next.stop()
  })

  test("does not keep its engine from being closed", async () => {
    const one = log.fresh()
    const engine = await log.open()
    const entered = deferred()
    await engine.subscribe(one, () => {
      entered.resolve()
      return new Promise(() => undefined)
    })
    await log.emit(`${one.categories[0]}-a`, 1)
    await entered.promise
    const since = performance.now()
    await engine.close()
    expect(performance.now() - since).toBeLessThan(6_500)
  })
})
