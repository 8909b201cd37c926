import { describe, expect, test } from "vitest"
import { type Event, HandlerFailed } from "../../src/index.ts"
import { collector, deferred, until } from "../support/eventually.ts"
import { upTo } from "../log/test-log.ts"
import { consumerLog, isThrough, noting, word } from "./scene.ts"

const log = consumerLog()

describe("a durable subscription begins", () => {
  test("with what comes after it was made, unless told otherwise", async () => {
    const one = log.fresh()
    const [category] = one.categories
    await log.emit(`${category}-a`, 1, 2)
    const heard = noting()
    const subscription = await log.engine.subscribe(one, heard.handler)
    await log.emit(`${category}-a`, 3, 4)
    expect(await heard.reaches(2)).toEqual(["a3", "a4"])
    await subscription.stop()
  })

  test("at the beginning of the log", async () => {
    const one = log.fresh()
    await log.emit(`${one.categories[0]}-a`, 1, 2, 3)
    const heard = noting()
    const subscription = await log.engine.subscribe({ ...one, from: "start" }, heard.handler)
    expect(await heard.reaches(3)).toEqual(["a1", "a2", "a3"])
    await subscription.stop()
  })

  test("after a position, and after a token", async () => {
    const one = log.fresh()
    const other = log.fresh()
    const categories = one.categories
    const stream = `${categories[0]}-a`
    const [first] = await log.emit(stream, 1, 2)
    const { token } = await log.engine.emit(stream, { type: "Numbered", data: { n: 3 } })
    await log.emit(stream, 4)
    const heard = noting()
    const fromToken = noting()
    const both = [
      await log.engine.subscribe({ ...one, from: first! }, heard.handler),
      await log.engine.subscribe({ ...other, categories, from: token }, fromToken.handler)
    ]
    expect(await heard.reaches(3)).toEqual(["a2", "a3", "a4"])
    expect(await fromToken.reaches(1)).toEqual(["a4"])
    for (const subscription of both) await subscription.stop()
  })

  test("on an empty stretch, and hears what comes while it catches up in its order", async () => {
    const one = log.fresh()
    const stream = `${one.categories[0]}-a`
    await log.emit(stream, ...upTo(1_500))
    const heard = noting()
    const subscribing = log.engine.subscribe({ ...one, from: "start" }, heard.handler)
    await log.emit(stream, ...upTo(500).map((n) => 1_500 + n))
    const subscription = await subscribing
    expect(await heard.reaches(2_000)).toEqual(upTo(2_000).map((n) => `a${n}`))
    await subscription.stop()
  })
})

describe("a durable subscription goes on", () => {
  test("where it was when it is stopped and started again, and not where `from` says", async () => {
    const one = log.fresh()
    const stream = `${one.categories[0]}-a`
    const first = noting()
    const subscription = await log.engine.subscribe({ ...one, from: "start" }, first.handler)
    await log.emit(stream, 1, 2)
    await first.reaches(2)
    await subscription.stop()
    await log.emit(stream, 3)
    const second = noting()
    const again = await log.engine.subscribe({ ...one, from: "start" }, second.handler)
    await log.emit(stream, 4)
    expect(await second.reaches(2)).toEqual(["a3", "a4"])
    await again.stop()
  })

  test("in another engine, which hears nothing of what was handled", async () => {
    const one = log.fresh()
    const stream = `${one.categories[0]}-a`
    const engine = await log.open()
    const first = noting()
    await engine.subscribe(one, first.handler)
    await log.emit(stream, 1, 2, 3)
    await first.reaches(3)
    await engine.close()
    const second = noting()
    const again = await log.engine.subscribe(one, second.handler)
    await log.emit(stream, 4)
    expect(await second.reaches(1)).toEqual(["a4"])
    await again.stop()
  })

  test("after the events that it does not want, without moving for each of them", async () => {
    const one = log.fresh()
    const heard = noting()
    const subscription = await log.engine.subscribe(one, heard.handler)
    const before = (await subscription.control.status()).partitions[0]!.position
    const [last] = await log.emit(log.stream("unwanted"), 1)
    await until(async () => (await subscription.control.status()).partitions[0]!.position === last)
    expect(last).toBeGreaterThan(before)
    expect(heard.items).toEqual([])
    await subscription.stop()
  })
})

describe("of what was handled", () => {
  test("everything is written down event by event where that is asked for", async () => {
    const one = log.fresh()
    const stream = `${one.categories[0]}-a`
    const third = deferred()
    const goOn = deferred()
    const subscription = await log.engine.subscribe({ ...one, ack: "event" }, async (event) => {
      if (word(event) !== "a3") return
      third.resolve()
      await goOn.promise
    })
    const [, second] = await log.emit(stream, 1, 2, 3)
    await third.promise
    expect((await subscription.control.status()).partitions[0]!.position).toBe(second)
    goOn.resolve()
    await subscription.stop()
  })

  test("at most a second's is not written down while a batch runs slowly", async () => {
    const one = log.fresh()
    const entered = collector<string>()
    const [secondIsOver, thirdIsOver] = [deferred(), deferred()]
    await log.emit(`${one.categories[0]}-a`, 1)
    const subscription = await log.engine.subscribe({ ...one, from: "start" }, async (event) => {
      entered.push(word(event))
      if (word(event) === "a2") await secondIsOver.promise
      if (word(event) === "a3") await thirdIsOver.promise
    })
    const [second] = await log.emit(`${one.categories[0]}-a`, 2, 3, 4)
    await entered.first((each) => each === "a2")
    const since = performance.now()
    await until(() => performance.now() - since > 1_000)
    secondIsOver.resolve()
    await entered.first((each) => each === "a3")
    expect((await subscription.control.status()).partitions[0]!.position).toBe(second)
    thirdIsOver.resolve()
    await subscription.stop()
  })

  test("what a handler is at when it is stopped is waited for, and counts", async () => {
    const one = log.fresh()
    const entered = deferred()
    const goOn = deferred()
    const subscription = await log.engine.subscribe(one, async () => {
      entered.resolve()
      await goOn.promise
    })
    const [first, second] = await log.emit(`${one.categories[0]}-a`, 1, 2)
    await entered.promise
    const stopping = subscription.stop()
    goOn.resolve()
    await stopping
    const { position } = (await log.engine.subscription(one.name).status()).partitions[0]!
    expect(position).toBe(first)
    expect(position).toBeLessThan(second!)
  })
})

describe("the handler of a durable subscription", () => {
  test("is given up to so many events at once as an array, where that is asked for", async () => {
    const one = log.fresh()
    const stream = `${one.categories[0]}-a`
    await log.emit(stream, ...upTo(25))
    const given = collector<ReadonlyArray<Event>>()
    const subscription = await log.engine.subscribe({ ...one, from: "start", batch: 10 }, (events) => {
      given.push(events)
    })
    await given.reaches(3)
    expect(given.items.map(({ length }) => length)).toEqual([10, 10, 5])
    expect(given.items.flat().map(word)).toEqual(upTo(25).map((n) => `a${n}`))
    await subscription.stop()
  })

  test("emits as caused by its event, also to the very stream that it handles", async () => {
    const one = log.fresh()
    const stream = `${one.categories[0]}-a`
    const heard = collector<Event>()
    const subscription = await log.engine.subscribe(one, async (event) => {
      heard.push(event)
      if (event.type === "Numbered") await log.engine.emit(event.stream, { type: "Answered", data: { n: 0 } })
    })
    await log.emit(stream, 1, 2, 3)
    const events = await heard.reaches(6)
    const asked = events.filter(({ type }) => type === "Numbered")
    const answered = events.filter(({ type }) => type === "Answered")
    expect(answered.map(({ meta }) => meta.causationId)).toEqual(asked.map(({ id }) => id))
    await subscription.stop()
  })

  test("knows which attempt it is, of which partition, under which epoch", async () => {
    const one = log.fresh()
    const contexts = collector<object>()
    const handler = (
      _: Event,
      { attempt, epoch, partition }: { attempt: number; epoch: number; partition: number }
    ) => contexts.push({ attempt, epoch, partition })
    const subscription = await log.engine.subscribe(one, handler)
    await log.emit(`${one.categories[0]}-a`, 1)
    expect(await contexts.reaches(1)).toEqual([{ attempt: 1, epoch: 2, partition: 0 }])
    await subscription.stop()
    const again = await log.engine.subscribe(one, handler)
    await log.emit(`${one.categories[0]}-a`, 2)
    expect((await contexts.reaches(2))[1]).toEqual({ attempt: 1, epoch: 3, partition: 0 })
    await again.stop()
  })

  test("may stop its own subscription, and is given nothing more", async () => {
    const one = log.fresh()
    const heard = noting()
    const subscription = await log.engine.subscribe(one, async (event) => {
      heard.handler(event)
      await subscription.stop()
    })
    const [first] = await log.emit(`${one.categories[0]}-a`, 1, 2, 3)
    await subscription.done
    expect(heard.items).toEqual(["a1"])
    expect((await log.engine.subscription(one.name).status()).partitions[0]!.position).toBe(first)
  })

  test("that fails hurts no other subscription, durable or not", async () => {
    const one = log.fresh()
    const other = { ...log.fresh(), categories: one.categories }
    const heard = noting()
    const failing = await log.engine.subscribe(one, () => Promise.reject(new Error("no")))
    const fine = await log.engine.subscribe(other, heard.handler)
    const ephemeral = await log.engine.subscribe({ categories: one.categories }, () => {
      throw new Error("no")
    })
    await log.emit(`${one.categories[0]}-a`, 1, 2)
    await heard.reaches(2)
    await expect(ephemeral.done).rejects.toBeInstanceOf(HandlerFailed)
    for (const each of [failing, fine, ephemeral]) await each.stop()
  })
})

test("events of many partitions are handled side by side, those of one stream in order", async () => {
  const one = log.fresh()
  const [category] = one.categories
  const streams = upTo(12).map((n) => `${category}-s${n}.`)
  let atOnce = 0
  let most = 0
  const heard = noting()
  const subscription = await log.engine.subscribe({ ...one, partitions: 4 }, async (event) => {
    atOnce += 1
    most = Math.max(most, atOnce)
    await new Promise((done) => setTimeout(done, 2))
    atOnce -= 1
    heard.handler(event)
  })
  await until(() => subscription.partitions().length === 4)
  let last = 0
  for (const n of upTo(5)) for (const stream of streams) last = (await log.emit(stream, n))[0]!
  await heard.reaches(60)
  for (const stream of streams) {
    const id = stream.slice(stream.indexOf("-") + 1)
    expect(heard.items.filter((one) => one.startsWith(id))).toEqual(upTo(5).map((n) => `${id}${n}`))
  }
  expect(most).toBeGreaterThan(1)
  expect(most).toBeLessThanOrEqual(4)
  await isThrough(log.engine, one.name, last)
  await subscription.stop()
})
