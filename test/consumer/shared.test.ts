import { describe, expect, test } from "vitest"
import type { DurableOptions } from "../../src/index.ts"
import { upTo } from "../log/test-log.ts"
import { deferred, until } from "../support/eventually.ts"
import { consumerLog, isThrough, noting } from "./scene.ts"

// What a durable subscription of one stream promises, and one of the whole log as well.

const log = consumerLog()

type Filter = Pick<DurableOptions, "streams">

const end = async () => (await log.engine.status()).head

/** Ends all connections of engines that were opened under this name. */
const called = (name: string) => {
  const url = new URL(log.db.url)
  url.searchParams.set("application_name", name)
  return url.href
}

describe.each([
  ["one stream", (stream: string): Filter => ({ streams: [stream] })],
  ["the whole log", (): Filter => ({})]
])("a durable subscription of %s", (_, filterOf) => {
  const fresh = () => {
    const { name, categories } = log.fresh()
    const stream = `${categories[0]}-a`
    return { name, stream, ...filterOf(stream) }
  }

  test("where nothing has happened yet hears what happens then", async () => {
    const { stream, ...one } = fresh()
    const heard = noting()
    const member = await log.engine.subscribe({ ...one, from: await end() }, heard.handler)
    await isThrough(log.engine, one.name, await end())
    expect(heard.items).toEqual([])
    await log.emit(stream, 1)
    expect(await heard.reaches(1)).toEqual(["a1"])
    await member.stop()
  })

  test("hears what it has not seen, then what comes while it catches up, once and in order", async () => {
    const { stream, ...one } = fresh()
    const from = await end()
    await log.emit(stream, ...upTo(700))
    const heard = noting()
    const third = deferred()
    const member = await log.engine.subscribe({ ...one, from }, async (event) => {
      heard.handler(event)
      if (heard.items.length === 3) await third.promise
    })
    await heard.reaches(3)
    await log.emit(stream, ...upTo(300).map((n) => 700 + n))
    third.resolve()
    expect(await heard.reaches(1_000)).toEqual(upTo(1_000).map((n) => `a${n}`))
    await member.stop()
  })

  test("gives nothing more to its handler until that is done with an event", async () => {
    const { stream, ...one } = fresh()
    const goOn = deferred()
    const heard = noting()
    const member = await log.engine.subscribe({ ...one, ack: "event" }, async (event) => {
      heard.handler(event)
      await goOn.promise
    })
    const [first] = await log.emit(stream, ...upTo(5))
    await heard.reaches(1)
    const other = noting()
    const beside = await log.engine.subscribe({ streams: [stream], from: first! - 1 }, other.handler)
    await other.reaches(5)
    expect(heard.items).toEqual(["a1"])
    goOn.resolve()
    expect(await heard.reaches(5)).toEqual(upTo(5).map((n) => `a${n}`))
    await Promise.all([member.stop(), beside.stop()])
  })

  test("whose owner is gone hands over again what was not acknowledged, and nothing that was", async () => {
    const { stream, ...one } = fresh()
    const engine = await log.open()
    const heard = noting()
    await engine.subscribe({ ...one, ack: "event" }, (event, { signal }) => {
      heard.handler(event)
      if (heard.items.length < 3) return undefined
      return new Promise((__, reject) => signal.addEventListener("abort", () => reject(signal.reason)))
    })
    const positions = await log.emit(stream, ...upTo(5))
    await heard.reaches(3)
    await engine.close()
    expect((await log.engine.subscription(one.name).status()).partitions[0]!.position).toBe(positions[1])
    const next = noting()
    const member = await log.engine.subscribe(one, next.handler)
    expect(await next.reaches(3)).toEqual(["a3", "a4", "a5"])
    await member.stop()
  })

  test("goes on, by wake-ups too, after all its connections were ended, once for each event", async () => {
    const { stream, ...one } = fresh()
    const name = `${one.name}-connections`
    const engine = await log.open({ database: called(name) })
    const heard = noting()
    const member = await engine.subscribe(one, heard.handler)
    const [first] = await log.emit(stream, 1)
    await heard.reaches(1)
    await isThrough(log.engine, one.name, first!)
    expect(await log.db.terminate(name)).toBeGreaterThan(0)
    await log.emit(stream, 2)
    await heard.reaches(2)
    await engine.emit(stream, { type: "Numbered", data: { n: 3 } })
    await heard.reaches(3)
    await until(async () => (await engine.status()).wake.mode === "listening")
    const [last] = await log.emit(stream, 4)
    await isThrough(log.engine, one.name, last!)
    expect(heard.items).toEqual(["a1", "a2", "a3", "a4"])
    await member.stop()
  })
})

test("those that begin now hear nothing of the past, however many they are and though one beside them begins at the start", async () => {
  const { name, categories } = log.fresh()
  const stream = `${categories[0]}-a`
  await log.emit(stream, ...upTo(50))
  const from = ["start", "now", "now", "now"] as const
  const heard = from.map(() => noting())
  const members = await Promise.all(
    from.map((start, nth) =>
      log.engine.subscribe({ name: `${name}-${nth}`, categories, from: start }, heard[nth]!.handler)
    )
  )
  await log.emit(stream, 51, 52)
  expect(await heard[0]!.reaches(52)).toEqual(upTo(52).map((n) => `a${n}`))
  for (const late of heard.slice(1)) expect(await late.reaches(2)).toEqual(["a51", "a52"])
  await Promise.all(members.map((member) => member.stop()))
})

test("one that begins now hears the first event of a log that is empty", async () => {
  const engine = await log.open({ database: await log.db.fresh() })
  const heard = noting()
  await engine.subscribe({ name: "first" }, heard.handler)
  await engine.emit("order-a", { type: "Numbered", data: { n: 1 } })
  expect(await heard.reaches(1)).toEqual(["a1"])
})

describe("of what was handled", () => {
  const written = async (name: string) =>
    (await log.engine.subscription(name).status()).partitions[0]!.position

  test("the last few are written down as soon as nothing more comes for a moment", async () => {
    const { name, categories } = log.fresh()
    const heard = noting()
    const member = await log.engine.subscribe({ name, categories }, heard.handler)
    const positions = await log.emit(`${categories[0]}-a`, 1, 2, 3)
    await heard.reaches(3)
    await until(async () => (await written(name)) === positions[2], { within: 2_000 })
    expect(heard.items).toEqual(["a1", "a2", "a3"])
    await member.stop()
  })
})
