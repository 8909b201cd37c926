import { setTimeout as pause } from "node:timers/promises"
import { beforeAll, describe, expect, test } from "vitest"
import type { Tx } from "../../src/index.ts"
import { TAKE_MS } from "../../src/consumer/taking.ts"
import { partitionOf } from "../../src/log/share.ts"
import { openSession, upTo } from "../log/test-log.ts"
import { collector, deferred, until } from "../support/eventually.ts"
import { random, seedFor } from "../support/random.ts"
import { consumerLog, isThrough, numberOf, own, SOON, word } from "./scene.ts"

// The verbs beside handlers that are at work in their transactions, and beside each other.

const log = consumerLog()

beforeAll(async () => {
  await log.db.query("create table effects (nth bigserial, subscription text, stream text, n integer)")
})

const write = (tx: Tx, name: string, stream: string, n: number) =>
  tx.query("insert into public.effects (subscription, stream, n) values ($1, $2, $3)", [name, stream, n])

const effectsOf = (name: string) =>
  log.db.query<{ stream: string; n: number }>(
    "select stream, n from effects where subscription = $1 order by nth",
    [name]
  )

const epochsOf = (name: string) =>
  log.db.query(
    "select partition, epoch from tidemark.subscription_cursors where subscription = $1 order by 1",
    [name]
  )

/** Streams that fall to the partitions of two, one each. */
const streamsOf = (category: string) =>
  [0, 1].map((wanted) =>
    upTo(50)
      .map((n) => `${category}-s${n}.`)
      .find((stream) => partitionOf(stream, 2) === wanted)!
  )

describe("a verb for one held event, while handlers are at work in transactions on its partition and another,", () => {
  test("waits for nobody, disturbs nobody, and its owner sees to it afterwards", async () => {
    const one = { ...log.fresh(), partitions: 2 }
    const [first, second] = streamsOf(one.categories[0]!)
    const goOn = deferred()
    const entered = collector<string>()
    const cut = collector<unknown>()
    let isMended = false
    const subscription = await log.engine.subscribe(
      { ...one, transactional: true, retry: { ...SOON, attempts: 1 } },
      async (event, { tx, signal }) => {
        const n = numberOf(event)
        if (n < 10 && !isMended) throw new Error("not yet")
        if (n >= 100) {
          signal.addEventListener("abort", () => cut.push(signal.reason))
          entered.push(word(event))
          // As slow as a handler may be that asks the server for something now and then.
          while (!(await Promise.race([goOn.promise.then(() => true), pause(200).then(() => false)])))
            await tx.query("select 1")
        }
        await write(tx, one.name, event.stream, n)
      }
    )
    await own([subscription], [2])
    const parked = await log.emit(first!, 1, 2)
    const other = await log.emit(`${first!}x`, 3)
    await until(async () => (await subscription.control.status()).held.parked === 2)
    const slow = `${first!.slice(0, -1)}-slow`
    const streams = upTo(50).map((n) => `${slow}${n}`)
    const mine = [0, 1].map((wanted) => streams.find((stream) => partitionOf(stream, 2) === wanted)!)
    for (const stream of mine) await log.emit(stream, 100)
    await entered.reaches(2)
    const epochs = await epochsOf(one.name)
    isMended = true
    const since = performance.now()
    expect(await subscription.control.drop(parked[0]!, { reason: "not needed" })).toBe(1)
    expect(await subscription.control.retry(other[0]!)).toBe(1)
    expect(performance.now() - since).toBeLessThan(1_000)
    await expect(subscription.control.retry(parked[0]!)).rejects.toMatchObject({ _tag: "NotParked" })
    await expect(subscription.control.drop(other[0]!, { reason: "x" })).rejects.toMatchObject({
      _tag: "NotParked"
    })
    goOn.resolve()
    await isThrough(log.engine, one.name, other[0]!)
    expect(await epochsOf(one.name)).toEqual(epochs)
    expect(cut.items).toEqual([])
    expect(entered.items).toHaveLength(2)
    expect((await effectsOf(one.name)).map(({ n }) => n).toSorted((a, b) => a - b)).toEqual([2, 3, 100, 100])
    expect(
      await log.db.query("select from tidemark.held_events where subscription = $1", [one.name])
    ).toEqual([])
    await subscription.stop()
    expect(second).toBeDefined()
  })
})

test.each([
  ["transactional", true],
  ["at least once", false]
])(
  "events that are retried and dropped by many at once, while they fail and others come (%s), are handled or dropped, in the order of their stream",
  async (_, transactional) => {
    const one = { ...log.fresh(), partitions: 3 }
    const { between, chance, oneOf } = random(seedFor("verbs at once"))
    const engine = await log.open()
    const streams = upTo(6).map((n) => `${one.categories[0]}-s${n}`)
    const handled: Array<{ stream: string; n: number }> = []
    let fails = 0.2
    const note = async (stream: string, n: number) => {
      await pause(between(0, 2))
      if (chance(fails)) throw new Error("of bad luck")
      handled.push({ stream, n })
    }
    const retry = { ...SOON, attempts: 1 }
    const members = await Promise.all(
      [log.engine, engine].map((each) =>
        transactional
          ? each.subscribe({ ...one, transactional, retry }, async (event, { tx }) => {
              await note(event.stream, numberOf(event))
              await write(tx, one.name, event.stream, numberOf(event))
            })
          : each.subscribe({ ...one, retry }, (event) => note(event.stream, numberOf(event)))
      )
    )
    const dropped = new Set<number>()
    const placed = new Map<number, { stream: string; n: number }>()
    let last = 0
    let isOver = false
    const writer = async () => {
      for (const n of upTo(60))
        for (const stream of streams) {
          last = (await log.emit(stream, n))[0]!
          placed.set(last, { stream, n })
        }
    }
    const meddler = async () => {
      const control = oneOf([log.engine, engine]).subscription(one.name)
      while (!isOver) {
        const which = chance(0.3) ? ("all" as const) : undefined
        const parked = await control.parked()
        const position = parked.length === 0 ? undefined : oneOf(parked).position
        try {
          if (chance(0.3) && position !== undefined) {
            await control.drop(position, { reason: "by chance" })
            expect(dropped.has(position)).toBe(false)
            dropped.add(position)
          } else if (which !== undefined || position !== undefined) await control.retry(which ?? position!)
        } catch (error) {
          // Another was faster.
          expect(error).toMatchObject({ _tag: "NotParked" })
        }
        await pause(between(0, 5))
      }
    }
    const meddlers = Promise.all(upTo(4).map(meddler))
    await writer()
    fails = 0
    await until(
      async () => {
        const { held, partitions } = await log.engine.subscription(one.name).status()
        return (
          held.parked + held.retrying + held.waiting === 0 &&
          partitions.every(({ position }) => position >= last)
        )
      },
      { within: 20_000, what: "everything to be handled or dropped" }
    )
    isOver = true
    await meddlers
    const seen = transactional ? await effectsOf(one.name) : handled
    const gone = new Set([...dropped].map((position) => JSON.stringify(placed.get(position))))
    for (const stream of streams) {
      const numbers = seen.filter((each) => each.stream === stream).map(({ n }) => n)
      const wanted = upTo(60).filter((n) => !gone.has(JSON.stringify({ stream, n })))
      expect([stream, transactional ? numbers : [...new Set(numbers)]]).toEqual([stream, wanted])
    }
    const events = []
    for await (const { data } of log.engine.read(`subscription-${one.name}`))
      events.push((data as { position: number }).position)
    expect(events.toSorted((a, b) => a - b)).toEqual([...dropped].toSorted((a, b) => a - b))
    await until(
      async () =>
        (await log.db.query("select from tidemark.held_events where subscription = $1", [one.name]))
          .length === 0
    )
    await Promise.all(members.map((member) => member.stop()))
  },
  60_000
)

describe("a verb that takes a subscription from its owners", () => {
  test("has a transactional batch end with the event that it is at, and what was done is kept", async () => {
    const one = log.fresh()
    const stream = `${one.categories[0]}-a`
    const entered = collector<string>()
    const cut = collector<unknown>()
    await log.emit(stream, ...upTo(100))
    const subscription = await log.engine.subscribe(
      { ...one, from: "start", transactional: true },
      async (event, { tx, signal }) => {
        signal.addEventListener("abort", () => cut.push(signal.reason))
        entered.push(word(event))
        await write(tx, one.name, event.stream, numberOf(event))
        await pause(30)
      }
    )
    await entered.reaches(3)
    const since = performance.now()
    await subscription.control.pause()
    expect(performance.now() - since).toBeLessThan(700)
    expect(cut.items).toEqual([])
    const done = (await effectsOf(one.name)).map(({ n }) => n)
    expect(done).toEqual(upTo(entered.items.length))
    await subscription.stop()
  })

  test("cuts a handler short that takes too long in its transaction, and what it was at comes again", async () => {
    const one = log.fresh()
    const goOn = deferred()
    const entered = collector<number>()
    const cut = collector<unknown>()
    const subscription = await log.engine.subscribe(
      { ...one, transactional: true },
      async (event, { tx, signal, attempt }) => {
        entered.push(attempt)
        signal.addEventListener("abort", () => cut.push(signal.reason))
        const endsAt = performance.now() + 3_000
        while (entered.items.length === 1 && performance.now() < endsAt && !signal.aborted) {
          await tx.query("select 1")
          await pause(100)
        }
        await goOn.promise
        await write(tx, one.name, event.stream, numberOf(event))
      }
    )
    const [last] = await log.emit(`${one.categories[0]}-a`, 1)
    await entered.reaches(1)
    const engine = await log.open()
    const since = performance.now()
    await engine.subscription(one.name).pause()
    expect(performance.now() - since).toBeLessThan(2_500)
    expect(cut.items).toMatchObject([{ _tag: "HandlingCut", why: "change" }])
    expect(await effectsOf(one.name)).toEqual([])
    goOn.resolve()
    await engine.subscription(one.name).resume()
    await isThrough(log.engine, one.name, last!)
    expect(entered.items).toEqual([1, 1])
    expect(await effectsOf(one.name)).toHaveLength(1)
    await subscription.stop()
  })

  test.concurrent("says who is in its way where that does not end, has changed nothing, and its owner goes on", async () => {
    const one = { ...log.fresh(), partitions: 2 }
    const subscription = await log.engine.subscribe(one, () => undefined)
    await own([subscription], [2])
    await using session = await openSession(log.db.url)
    await session.query("begin")
    await session.query(
      "update tidemark.subscription_cursors set moved_at = moved_at where subscription = $1 and partition = 1",
      [one.name]
    )
    const before = await epochsOf(one.name)
    const failure = await subscription.control.rewind("start").then(
      () => undefined,
      (error: Error) => error
    )
    expect(failure).toMatchObject({ _tag: "LockTimeout" })
    const { message } = failure!
    expect(message).toContain(`subscription "${one.name}" was in use for ${TAKE_MS} ms`)
    expect(message).toContain(`partition 1, of tidemark on`)
    expect(message).toContain(`(pid ${process.pid}), by server process ${session.pid} of raw-session for`)
    expect(message).not.toContain("partition 0")
    expect(await epochsOf(one.name)).toEqual(before)
    await session.query("commit")
    const last = (await log.emit(`${one.categories[0]}-a`, 1))[0]!
    await isThrough(log.engine, one.name, last)
    await subscription.stop()
  }, 30_000)

  test.concurrent("waits for another that is under way, and says so where that does not end", async () => {
    const one = log.fresh()
    const subscription = await log.engine.subscribe(one, () => undefined)
    await using session = await openSession(log.db.url)
    await session.query("begin")
    await session.query("select from tidemark.subscriptions where name = $1 for update", [one.name])
    await expect(subscription.control.pause()).rejects.toMatchObject({
      _tag: "LockTimeout",
      message: expect.stringContaining("by another change of it") as string
    })
    await session.query("commit")
    await subscription.stop()
  }, 30_000)
})
