import { describe, expect, test } from "vitest"
import { upTo } from "../log/test-log.ts"
import { collector, deferred, until } from "../support/eventually.ts"
import { consumerLog, failingOn, isThrough, noting, SOON, word } from "./scene.ts"

const log = consumerLog()

describe("a durable subscription", () => {
  test("that is paused hands nothing over until it is resumed, in any engine", async () => {
    const one = log.fresh()
    const stream = `${one.categories[0]}-a`
    const engine = await log.open()
    const heard = noting()
    const subscription = await log.engine.subscribe(one, heard.handler)
    await log.emit(stream, 1)
    await heard.reaches(1)
    await isThrough(log.engine, one.name, 1)
    await engine.subscription(one.name).pause()
    await until(() => subscription.partitions().length === 0)
    await log.emit(stream, 2)
    await subscription.stop()
    const again = await engine.subscribe(one, heard.handler)
    expect((await again.control.status()).state).toBe("paused")
    await log.engine.subscription(one.name).resume()
    await heard.first((each) => each === "a2")
    expect(new Set(heard.items)).toEqual(new Set(["a1", "a2"]))
    await again.stop()
  })

  test("that is rewound hands everything over again from there, and forgets what it held", async () => {
    const one = log.fresh()
    const stream = `${one.categories[0]}-a`
    let mended = false
    const { calls, handler } = failingOn((word) => word === "a2" && !mended)
    const subscription = await log.engine.subscribe({ ...one, retry: { ...SOON, attempts: 1 } }, handler)
    const [first] = await log.emit(stream, 1, 2, 3)
    await until(async () => (await subscription.control.status()).held.waiting === 1)
    mended = true
    await subscription.control.rewind(first!)
    await calls.reaches(4)
    expect(calls.items).toEqual(["a1", "a2!", "a2", "a3"])
    expect((await subscription.control.status()).held).toEqual({ retrying: 0, waiting: 0, parked: 0 })
    await subscription.control.rewind("start")
    await calls.reaches(7)
    expect(calls.items.slice(4)).toEqual(["a1", "a2", "a3"])
    await subscription.stop()
  })

  test("that is rewound to now passes over what it was behind with", async () => {
    const one = log.fresh()
    const stream = `${one.categories[0]}-a`
    const heard = noting()
    const subscription = await log.engine.subscribe(one, () => undefined)
    await subscription.stop()
    await log.emit(stream, ...upTo(10))
    await log.engine.subscription(one.name).rewind("now")
    const again = await log.engine.subscribe(one, heard.handler)
    await log.emit(stream, 11)
    expect(await heard.reaches(1)).toEqual(["a11"])
    await again.stop()
  })

  test("is not rewound to where there is no log", async () => {
    const one = log.fresh()
    const subscription = await log.engine.subscribe(one, () => undefined)
    const { control } = subscription
    await expect(control.rewind(1e9)).rejects.toMatchObject({ _tag: "LogRewound" })
    await expect(control.rewind(-1)).rejects.toMatchObject({ _tag: "InvalidArgument" })
    await expect(control.rewind("nonsense")).rejects.toMatchObject({ _tag: "InvalidArgument" })
    await subscription.stop()
  })

  test("that is deleted while it is owned ends there, and can be made anew", async () => {
    const one = log.fresh()
    const stream = `${one.categories[0]}-a`
    const entered = deferred()
    const goOn = deferred()
    const subscription = await log.engine.subscribe(one, async () => {
      entered.resolve()
      await goOn.promise
    })
    await log.emit(stream, 1, 2)
    await entered.promise
    await log.engine.subscription(one.name).delete()
    goOn.resolve()
    await expect(subscription.done).rejects.toMatchObject({
      _tag: "SubscriptionDeleted",
      subscription: one.name
    })
    expect(
      await log.db.query("select from tidemark.subscription_cursors where subscription = $1", [one.name])
    ).toEqual([])
    expect(
      await log.db.query("select from tidemark.held_events where subscription = $1", [one.name])
    ).toEqual([])
    expect(
      await log.db.query("select from tidemark.subscription_members where subscription = $1", [one.name])
    ).toEqual([])
    const heard = noting()
    const again = await log.engine.subscribe({ ...one, from: "start" }, heard.handler)
    expect(await heard.reaches(2)).toEqual(["a1", "a2"])
    await again.stop()
  })

  test("takes another filter only by a change; engines with the old one end", async () => {
    const one = log.fresh()
    const other = log.fresh()
    const subscription = await log.engine.subscribe(one, () => undefined)
    await until(() => subscription.partitions().length === 1)
    await subscription.control.change({ filter: { categories: other.categories } })
    await expect(subscription.done).rejects.toMatchObject({
      _tag: "SubscriptionChanged",
      found: JSON.stringify({ categories: other.categories }),
      given: JSON.stringify({ categories: one.categories })
    })
    await expect(log.engine.subscribe(one, () => undefined)).rejects.toMatchObject({
      _tag: "SubscriptionChanged"
    })
    const heard = noting()
    const again = await log.engine.subscribe({ ...other, name: one.name }, heard.handler)
    await log.emit(`${other.categories[0]}-b`, 1)
    expect(await heard.reaches(1)).toEqual(["b1"])
    await again.stop()
  })

  test("tells how it stands: owner, lag in events and in time, rate, what it holds and why", async () => {
    const one = { ...log.fresh(), partitions: 2 }
    const stream = `${one.categories[0]}-a`
    const { handler } = failingOn((word) => word === "a1")
    const subscription = await log.engine.subscribe(
      { ...one, retry: { attempts: 9, firstMs: 60_000, longestMs: 60_000 } },
      handler
    )
    await until(() => subscription.partitions().length === 2)
    const [, last] = await log.emit(stream, 1, 2)
    await until(async () => (await subscription.control.status()).held.waiting === 1)
    await until(async () =>
      (await subscription.control.status()).partitions.every(({ position }) => position >= last!)
    )
    const status = await subscription.control.status()
    expect(status).toMatchObject({
      name: one.name,
      filter: { categories: one.categories },
      state: "running",
      members: 1,
      lag: { atLeast: 0, atMost: 0, isCount: true },
      lagMs: 0,
      held: { retrying: 1, waiting: 1, parked: 0 }
    })
    expect(status.partitions.map(({ position }) => position)).toEqual([last, last])
    expect(status.partitions.map(({ error }) => error)).toContain("no a1, attempt 1")
    expect(status.partitions[0]!.owner).toMatchObject({ application: "tidemark", pid: process.pid })
    await subscription.stop()
    await log.emit(stream, 3)
    const later = await log.engine.subscription(one.name).status()
    expect(later).toMatchObject({ lag: { atLeast: 1, atMost: 1, isCount: true } })
    expect(later.lagMs).toBeGreaterThan(0)
    for (const partition of later.partitions)
      expect(partition).toMatchObject({ owner: undefined, rate: undefined })
    const all = (await log.engine.status()).durable
    expect(all.map(({ name }) => name)).toEqual((await log.engine.subscriptions()).map(({ name }) => name))
    expect(all.map(({ name }) => name)).toContain(one.name)
  })

  test("that is beyond the end of a log that was restored ends with LogRewound, and goes on when it is rewound", async () => {
    const one = log.fresh()
    const subscription = await log.engine.subscribe(one, () => undefined)
    await until(() => subscription.partitions().length === 1)
    // As a restore of the log without its subscriptions leaves it.
    await log.db.query(
      "update tidemark.subscription_cursors set position = 1000000, epoch = epoch + 1, owner = null where subscription = $1",
      [one.name]
    )
    await expect(subscription.done).rejects.toMatchObject({ _tag: "LogRewound", position: 1_000_000 })
    await expect(log.engine.subscribe(one, () => undefined)).rejects.toMatchObject({ _tag: "LogRewound" })
    expect((await log.engine.subscription(one.name).status()).partitions[0]).toMatchObject({
      state: "stopped"
    })
    await log.engine.subscription(one.name).rewind("now")
    const heard = noting()
    const again = await log.engine.subscribe(one, heard.handler)
    await log.emit(`${one.categories[0]}-a`, 1)
    expect(await heard.reaches(1)).toEqual(["a1"])
    await again.stop()
  })
})

describe("a durable subscription is refused", () => {
  const refused = [
    ["without a name", { name: "" }],
    ["with a name of several words", { name: "a b" }],
    ["with a name that is too long", { name: "x".repeat(129) }],
    ["without partitions", { partitions: 0 }],
    ["with too many partitions", { partitions: 257 }],
    ["with half a partition", { partitions: 1.5 }],
    ["with batches of none", { batch: 0 }],
    ["with batches that are too large", { batch: 1_001 }],
    ["without time for its handler", { timeoutMs: 0 }],
    ["with no such acks", { ack: "never" as never }],
    ["with no attempts", { retry: { attempts: 0 } }],
    ["with no such end of retries", { retry: { giveUp: "cry" as never } }],
    ["with no such rule for others", { retry: { others: "fight" as never } }],
    ["with a filter that matches nothing", { types: [] }],
    ["from nowhere", { from: -1 }],
    ["from beyond the head", { from: 1e12 }]
  ] as const

  test.each(refused)("%s", async (_, wrong) => {
    const one = log.fresh()
    await expect(log.engine.subscribe({ ...one, ...wrong }, () => undefined)).rejects.toMatchObject({
      _tag: expect.stringMatching(/^InvalidArgument|InvalidName|LogRewound$/)
    })
    expect(await log.db.query("select from tidemark.subscriptions where name = $1", [one.name])).toEqual([])
  })

  test("without a handler", async () => {
    await expect(log.engine.subscribe(log.fresh(), "no" as never)).rejects.toMatchObject({
      _tag: "InvalidArgument"
    })
  })

  test("under the name of one with another filter; the same filter in another order is the same", async () => {
    const one = { name: log.fresh().name, types: ["B", "A"] }
    const first = await log.engine.subscribe(one, () => undefined)
    await first.stop()
    await expect(
      log.engine.subscribe({ name: one.name, types: ["A"] }, () => undefined)
    ).rejects.toMatchObject({
      _tag: "SubscriptionChanged",
      found: '{"types":["A","B"]}',
      given: '{"types":["A"]}'
    })
    await expect(log.engine.subscribe({ name: one.name }, () => undefined)).rejects.toMatchObject({
      _tag: "SubscriptionChanged"
    })
    const same = await log.engine.subscribe({ ...one, types: ["A", "B", "A"] }, () => undefined)
    await same.stop()
  })

  test("in an engine that is closed", async () => {
    const engine = await log.open()
    const control = engine.subscription("any")
    await engine.close()
    await expect(engine.subscribe(log.fresh(), () => undefined)).rejects.toMatchObject({
      _tag: "Unavailable"
    })
    await expect(control.status()).rejects.toMatchObject({ _tag: "Unavailable" })
  })
})

test("every verb on a subscription that is not there says so", async () => {
  const control = log.engine.subscription("nobody")
  const verbs = [
    control.status(),
    control.pause(),
    control.resume(),
    control.rewind("now"),
    control.delete(),
    control.change({ partitions: 2 }),
    control.parked(),
    control.retry("all"),
    control.drop("all", { reason: "none" })
  ]
  for (const outcome of await Promise.allSettled(verbs))
    expect(outcome).toMatchObject({
      status: "rejected",
      reason: { _tag: "UnknownSubscription", subscription: "nobody" }
    })
})

test("what a handler wrote into a closed subscription's stream wakes nobody, and is there for the next", async () => {
  const one = log.fresh()
  const heard = collector<string>()
  const subscription = await log.engine.subscribe(one, (event) => heard.push(word(event)))
  await log.emit(`${one.categories[0]}-a`, 1)
  await heard.reaches(1)
  await subscription.stop()
  await log.emit(`${one.categories[0]}-a`, 2)
  expect(heard.items).toEqual(["a1"])
})
