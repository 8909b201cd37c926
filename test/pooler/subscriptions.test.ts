import { setTimeout as pause } from "node:timers/promises"
import { describe, expect, test } from "vitest"
import {
  type Engine,
  type Event,
  type HandlerContext,
  type TransactionalContext,
  type Tx
} from "../../src/index.ts"
import { failingOn, isThrough, noting, own, SOON, word } from "../consumer/scene.ts"
import { upTo } from "../log/test-log.ts"
import { collector, until } from "../support/eventually.ts"
import { numbered, pooledLog } from "./scene.ts"

// Durable subscriptions, by way of PgBouncer in transaction mode with fewer sessions than two engines have connections.

const log = pooledLog()

/** Longer than what the log said of itself is taken for granted behind a pooler. */
const TAKES_MS = 250

const emit = async (engine: Engine, stream: string, ...numbers: ReadonlyArray<number>) => {
  const { position } = await engine.emit(stream, numbered(numbers))
  return position
}

const makeEffects = () =>
  log.db.query("create table if not exists effects (nth bigserial, name text, word text)")

const effect = (tx: Tx, name: string, event: Event) =>
  tx.query("insert into public.effects (name, word) values ($1, $2)", [name, word(event)])

const effectsOf = async (name: string) =>
  (await log.db.query<{ word: string }>("select word from effects where name = $1 order by nth", [name])).map(
    ({ word }) => word
  )

const ofStream = (words: ReadonlyArray<string>, stream: string) =>
  words.filter((each) => each.startsWith(stream))

describe("a durable subscription behind PgBouncer in transaction mode", () => {
  test("hands every event over once, in the order of its stream, to two engines that share its partitions", async () => {
    const [one, two] = [await log.open(), await log.open()]
    const heard = [noting(), noting()]
    const options = { name: "shared", categories: ["shared"], partitions: 4 }
    const members = await Promise.all(
      [one, two].map((engine, n) => engine.subscribe(options, heard[n]!.handler))
    )
    await own(members, [2, 2])
    let last = 0
    for (const n of upTo(5)) for (const s of upTo(8)) last = await emit(one, `shared-s${s}.`, n)
    await isThrough(two, "shared", last)
    for (const s of upTo(8)) {
      const wanted = upTo(5).map((n) => `s${s}.${n}`)
      const given = heard.map(({ items }) => ofStream(items, `s${s}.`))
      expect(given.toSorted((a, b) => b.length - a.length)).toEqual([wanted, []])
    }
    for (const { items } of heard) expect(items.length).toBeGreaterThan(0)
  })

  test("with a transactional handler commits its rows, its events and the cursor together", async () => {
    await makeEffects()
    const engine = await log.open()
    const options = { name: "exact", categories: ["exact"], partitions: 2, transactional: true } as const
    await engine.subscribe(options, async (event, { tx }) => {
      await effect(tx, "exact", event)
      tx.emit("done-exact", { type: "Done", data: { of: word(event) } })
    })
    let last = 0
    for (const s of upTo(4)) last = await emit(engine, `exact-s${s}.`, ...upTo(10))
    await isThrough(engine, "exact", last)
    const wanted = upTo(4).flatMap((s) => upTo(10).map((n) => `s${s}.${n}`))
    const done: Array<unknown> = []
    for await (const { data } of engine.read("done-exact")) done.push((data as { of: unknown }).of)
    expect((await effectsOf("exact")).toSorted()).toEqual(wanted.toSorted())
    expect(done.toSorted()).toEqual(wanted.toSorted())
  })

  test.each([
    ["plain", false],
    ["transactional", true]
  ] as const)(
    "retries (%s), parks what cannot be handled, and takes it up again or drops it when it is told to",
    async (name, transactional) => {
      await makeEffects()
      const [one, two] = [await log.open(), await log.open()]
      let isMended = false
      const { calls, handler } = failingOn(
        (each, { attempt }) => !isMended && (each.startsWith("b") || (each === "a2" && attempt === 1))
      )
      const options = { name, categories: [name], retry: { ...SOON, attempts: 2 } }
      const subscription = transactional
        ? await one.subscribe(
            { ...options, transactional },
            async (event, context: TransactionalContext<Tx>) => {
              await effect(context.tx, name, event)
              handler(event, context)
            }
          )
        : await one.subscribe(options, handler)
      await emit(one, `${name}-a`, 1, 2, 3)
      await emit(one, `${name}-b`, 1, 2)
      const last = await emit(one, `${name}-c`, 1)
      const control = two.subscription(name)
      await calls.first((each) => each === "c1")
      await calls.first((each) => each === "a3")
      const [parked] = await until(async () => {
        const all = await control.parked()
        return all.length > 0 && all
      })
      expect(parked).toMatchObject({ stream: `${name}-b`, attempts: 2, errors: [{}, {}] })
      expect(calls.items).not.toContain("b2!")
      await until(async () => (await control.status()).held.waiting === 1)
      isMended = true
      expect(await control.drop(parked!.position, { reason: "of no use" })).toBe(1)
      await calls.first((each) => each === "b2")
      await isThrough(two, name, last)
      isMended = false
      await emit(one, `${name}-b`, 3)
      await until(async () => (await control.parked()).length === 1)
      isMended = true
      expect(await control.retry("all")).toBe(1)
      await calls.first((each) => each === "b3")
      await isThrough(two, name, last)
      if (transactional)
        expect((await effectsOf(name)).toSorted()).toEqual(["a1", "a2", "a3", "b2", "b3", "c1"])
      const dropped = []
      for await (const { meta } of two.read(`subscription-${name}`)) dropped.push(meta["reason"])
      expect(dropped).toEqual(["of no use"])
      await subscription.stop()
    }
  )

  test("is paused, resumed, rewound, given another number of partitions and deleted from another engine", async () => {
    const [one, two] = [await log.open(), await log.open()]
    const heard = noting()
    const options = { name: "verbs", categories: ["verbs"], partitions: 2 }
    const subscription = await one.subscribe(options, heard.handler)
    const control = two.subscription("verbs")
    const first = await emit(one, "verbs-a", 1)
    await isThrough(two, "verbs", first)
    await control.pause()
    await until(() => subscription.partitions().length === 0)
    const second = await emit(two, "verbs-a", 2)
    expect((await control.status()).state).toBe("paused")
    expect(heard.items).toEqual(["a1"])
    await control.resume()
    await heard.first((each) => each === "a2")
    await control.rewind("start")
    expect(await heard.reaches(4)).toEqual(["a1", "a2", "a1", "a2"])
    await isThrough(two, "verbs", second)
    await control.change({ partitions: 5 })
    await until(async () => {
      const { dealing, partitions } = await control.status()
      return (
        dealing === undefined &&
        partitions.length === 5 &&
        partitions.every(({ owner }) => owner !== undefined)
      )
    })
    const last = await emit(two, "verbs-a", 3)
    await isThrough(two, "verbs", last)
    expect(heard.items).toEqual(["a1", "a2", "a1", "a2", "a3"])
    await control.delete()
    await expect(subscription.done).rejects.toMatchObject({ _tag: "SubscriptionDeleted" })
  })

  test("changes its partitions while two engines are at work: every effect is there once, in the order of its stream", async () => {
    await makeEffects()
    const [one, two] = [await log.open(), await log.open()]
    const options = { name: "dealt", categories: ["dealt"], partitions: 2, transactional: true } as const
    for (const engine of [one, two])
      await engine.subscribe(options, (event, { tx }) => effect(tx, "dealt", event))
    let last = 0
    for (const n of upTo(12)) {
      for (const s of upTo(5)) last = await emit(one, `dealt-s${s}.`, n)
      if (n === 4) await two.subscription("dealt").change({ partitions: 5 })
      if (n === 8) await one.subscription("dealt").change({ partitions: 3 })
    }
    await until(async () => (await two.subscription("dealt").status()).partitions.length === 3)
    await isThrough(two, "dealt", last)
    const all = await effectsOf("dealt")
    for (const s of upTo(5)) expect(ofStream(all, `s${s}.`)).toEqual(upTo(12).map((n) => `s${s}.${n}`))
  })

  test.each([
    ["plain", false],
    ["transactional", true]
  ] as const)(
    "counts every attempt of a handler that takes its time (%s), and calls it no more once it is through",
    async (kind, transactional) => {
      await makeEffects()
      const engine = await log.open()
      const { calls, handler } = failingOn(
        (each, { attempt }) => !each.startsWith("a") || (each === "a1" && attempt === 1)
      )
      const slowly = async (event: Event, context: HandlerContext) => {
        await pause(TAKES_MS)
        handler(event, context)
      }
      const name = `slow_${kind}`
      const options = { name, categories: [name], retry: { ...SOON, attempts: 2 } }
      const subscription = transactional
        ? await engine.subscribe({ ...options, transactional }, slowly)
        : await engine.subscribe(options, slowly)
      await emit(engine, `${name}-a`, 1)
      let last = 0
      for (const stream of ["b", "c", "d"]) last = await emit(engine, `${name}-${stream}`, 1)
      await until(async () => (await subscription.control.status()).held.parked === 3)
      await isThrough(engine, name, last)
      const twice = ["b1!", "c1!", "d1!"].flatMap((each) => [each, each])
      expect(calls.items.toSorted()).toEqual(["a1", "a1!", ...twice])
      await subscription.stop()
    }
  )

  test("with more handlers at once than there are sessions makes way for everybody else", async () => {
    await makeEffects()
    const engine = await log.open()
    const slow = collector<string>()
    const options = { name: "crowd", categories: ["crowd"], partitions: 16, transactional: true } as const
    await engine.subscribe(options, async (event, { tx }) => {
      await tx.query("select pg_sleep(0.1)")
      await effect(tx, "crowd", event)
      slow.push(word(event))
    })
    let last = 0
    for (const s of upTo(24)) last = await emit(engine, `crowd-s${s}.`, 1)
    const other = await log.open()
    await emit(other, "order-crowd", 1)
    expect((await other.status()).pooled).toBe(true)
    await isThrough(engine, "crowd", last)
    expect(await effectsOf("crowd")).toHaveLength(24)
  })
})
