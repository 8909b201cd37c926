import { describe, expect, test } from "vitest"
import { testDatabase } from "../support/database.ts"
import { deferred, inTime } from "../support/eventually.ts"
import { History } from "../support/history.ts"
import { engines, meant, readToEnd, seen, startReader, toEmit, wholeLog } from "./scene.ts"

const db = testDatabase()
const open = engines()

/** More than a subscription holds in memory, so that one that does not move has to leave the feed. */
const many = 2_500
const perEmit = 50

const emitMany = async (engine: Awaited<ReturnType<typeof open>>, history: History) => {
  for (let count = 0; count < many; count += perEmit) {
    const events = meant(`order-${count % 7}`, perEmit)
    history.sent(events)
    history.acknowledged((await engine.emit(events[0]!.stream, toEmit(events))).events)
  }
}

describe("a handler that hangs", () => {
  test("holds nobody else back, and misses nothing when it goes on", async () => {
    const history = new History()
    const engine = await open({ database: db.url })
    const goOn = deferred()
    const entered = deferred()
    const note = history.reads("hanging")
    const hanging = await engine.subscribe({ from: "start" }, async (event) => {
      entered.resolve()
      await goOn.promise
      note(seen(event))
    })
    const others = await Promise.all(
      ["one", "two", "three"].map((name) => startReader(engine, history, name))
    )
    await emitMany(engine, history)
    await inTime(entered.promise)
    await readToEnd(engine, history, ...others)
    expect(history.deliveredTo("hanging")).toBe(0)
    expect(hanging.status().buffered).toBeLessThanOrEqual(1_000)
    goOn.resolve()
    const last = others[0]!.events.at(-1)!
    const late = await startReader(engine, history, "late", last.position)
    await readToEnd(engine, history, ...others, late)
    await inTime(
      new Promise<void>((resolve) => {
        const look = () => (hanging.position >= late.events[0]!.position ? resolve() : setImmediate(look))
        look()
      })
    )
    expect(history.violations(await wholeLog(db.url))).toEqual([])
  })

  test("is waited for by stop, which then gives it nothing more", async () => {
    const history = new History()
    const engine = await open({ database: db.url })
    await emitMany(engine, history)
    const goOn = deferred()
    const entered = deferred()
    const handled: Array<number> = []
    const subscription = await engine.subscribe({ from: "start" }, async ({ position }) => {
      entered.resolve()
      await goOn.promise
      handled.push(position)
    })
    await inTime(entered.promise)
    let stopped = false
    const stopping = subscription.stop().then(() => (stopped = true))
    await readToEnd(engine, history, await startReader(engine, history))
    expect(stopped).toBe(false)
    goOn.resolve()
    await inTime(stopping)
    expect(handled).toHaveLength(1)
    expect(subscription.position).toBe(handled[0])
    expect(subscription.status().state).toBe("stopped")
  })

  test("does not keep another, slow one from going its own pace, in order and without doubles", async () => {
    const history = new History()
    const engine = await open({ database: db.url })
    const never = deferred()
    const entered = deferred()
    await engine.subscribe({ from: "start" }, () => {
      entered.resolve()
      return never.promise
    })
    const before = (await wholeLog(db.url)).length
    const note = history.reads("slow", 0)
    const all = deferred()
    let given = 0
    await engine.subscribe({ from: "start" }, async (event) => {
      // A turn of the event loop for each: slower than the emits, so that it falls behind and catches up again and again.
      await new Promise((resolve) => setImmediate(resolve))
      note(seen(event))
      given += 1
      if (given === before + many) all.resolve()
    })
    await emitMany(engine, history)
    await inTime(all.promise)
    await inTime(entered.promise)
    expect(history.violations(await wholeLog(db.url))).toEqual([])
    never.resolve()
  })
})

describe("a handler that stops its own subscription", () => {
  test("is given nothing more", async () => {
    const engine = await open({ database: db.url })
    await engine.emit("self-1", toEmit(meant("self-1", 5)))
    const stopped = deferred()
    const handled: Array<string> = []
    const subscription = await engine.subscribe({ from: "start", categories: ["self"] }, async ({ id }) => {
      handled.push(id)
      await subscription.stop()
      stopped.resolve()
    })
    await inTime(stopped.promise)
    await inTime(subscription.done)
    expect(handled).toHaveLength(1)
  })
})
