import { describe, expect, test } from "vitest"
import { builtIn } from "../../projections/index.ts"
import { type Engine, open, Unavailable } from "../../src/index.ts"
import { testDatabase } from "../support/database.ts"
import { deferred } from "../support/eventually.ts"

const db = testDatabase()

const opened = (): Promise<Engine> => open({ database: db.url, logger: false })

const looped = async (events: AsyncIterable<unknown>): Promise<void> => {
  for await (const _ of events) expect.unreachable("a closed engine hands out nothing")
}

const calls: ReadonlyArray<readonly [string, (engine: Engine) => Promise<unknown>]> = [
  ["emit", (engine) => engine.emit("order-1", { type: "Late" })],
  ["emitAll", (engine) => engine.emitAll([{ stream: "order-1", events: { type: "Late" } }])],
  ["transaction", (engine) => engine.transaction(async () => expect.unreachable("it has no connection"))],
  ["read", (engine) => looped(engine.read("order-1"))],
  ["replay", (engine) => looped(engine.replay())],
  ["audit", (engine) => engine.audit("somebody")],
  ["subscribe", (engine) => engine.subscribe({}, () => undefined)],
  ["events", (engine) => looped(engine.events())],
  ["an operation", (engine) => engine.agents.list({})],
  ["project", (engine) => engine.project(builtIn.agents)],
  ["settled", (engine) => engine.settled()],
  ["status", (engine) => engine.status()]
]

describe("a closed engine", () => {
  test.each(calls)("refuses %s with Unavailable, and says that it is closed", async (_, call) => {
    const engine = await opened()
    await engine.emit("order-1", { type: "Before" })
    await engine.close()
    const asked = call(engine)
    await expect(asked).rejects.toBeInstanceOf(Unavailable)
    await expect(asked).rejects.toThrow("this engine is closed")
  })

  test("still lets its subscriptions be stopped", async () => {
    const engine = await opened()
    const subscription = await engine.subscribe({}, () => undefined)
    await engine.close()
    await subscription.stop()
    await subscription.done
  })
})

describe("a closing engine", () => {
  test("cuts a loop over a stream short with Unavailable, so that nobody takes a part of it for the whole", async () => {
    const engine = await opened()
    const size = 500
    for (let sent = 0; sent < 3_000; sent += size)
      await engine.emit(
        "long-1",
        Array.from({ length: size }, () => ({ type: "Part" }))
      )
    let read = 0
    const loop = (async () => {
      for await (const _ of engine.read("long-1")) {
        read += 1
        if (read === 1) await engine.close()
      }
    })()
    await expect(loop).rejects.toBeInstanceOf(Unavailable)
    await expect(loop).rejects.toThrow("this engine is closed")
    expect(read).toBeLessThan(3_000)
  })

  test("takes on no subscription and no loop, and lets the handler that it waits for finish its work", async () => {
    const engine = await opened()
    const [begun, release] = [deferred(), deferred()]
    const subscription = await engine.subscribe({ streams: ["work-1"] }, async () => {
      begun.resolve()
      await release.promise
      await engine.emit("work-2", { type: "Done" })
    })
    await engine.emit("work-1", { type: "Asked" })
    await begun.promise
    const closed = engine.close()
    await expect(engine.subscribe({}, () => undefined)).rejects.toBeInstanceOf(Unavailable)
    await expect(looped(engine.read("work-1"))).rejects.toBeInstanceOf(Unavailable)
    release.resolve()
    await closed
    await subscription.done
    expect(await db.query("select from tidemark.events where stream = 'work-2'")).toHaveLength(1)
  })
})
