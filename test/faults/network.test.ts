import { afterEach, beforeEach, describe, expect, test } from "vitest"
import { type Engine, type OpenOptions, OutcomeUnknown, Unavailable } from "../../src/index.ts"
import { testDatabase } from "../support/database.ts"
import { until } from "../support/eventually.ts"
import { History } from "../support/history.ts"
import { type Proxy, startProxy } from "../support/proxy.ts"
import { engines, meant, readToEnd, startReader, toEmit, wholeLog } from "./scene.ts"

const db = testDatabase()
const openEngine = engines()

let proxy: Proxy
beforeEach(async () => {
  proxy = await startProxy(db.url)
})
afterEach(() => proxy.close())

/** An engine of which only what goes to the log passes the proxy; it has emitted once, so that it is connected. */
const through = async (options: OpenOptions = {}): Promise<Engine> => {
  const engine = await openEngine({ database: proxy.url, wake: db.url, ...options })
  // On a busy machine the first connection alone may take longer than an emit has here.
  await until(() => engine.emit("warm-up", { type: "happened", data: { content: "first" } }))
  return engine
}

/** The simple query that ends a transaction: its type, its length, its text. */
const commit = /^Q[^]{4}commit\0/

/** Every message of an append names its prepared statement. */
const append = /tidemark_append_/

const deadlineMs = 1_500

/** How much later than its deadline an emit may end, in ms: a slow answer is given its time, on a busy machine more. */
const slackMs = 2_500

const thrownBy = async (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => undefined,
    (error: unknown) => error
  )

const inLog = async (stream: string) => (await wholeLog(db.url)).filter((event) => event.stream === stream)

describe("the network fails while an emit is under way", () => {
  test.each(["cut", "silence"] as const)(
    "an append whose reply was lost (%s) is sent again with the same ids, and stands in the log once",
    async (by) => {
      const engine = await through({ answerTimeoutMs: 300 })
      const history = new History()
      const events = meant(`lost-${by}`, 3)
      history.sent(events)
      const lost = proxy.loseReply(append, by)
      const emitted = engine.emit(`lost-${by}`, toEmit(events))
      await lost
      history.acknowledged((await emitted).events)
      expect(await inLog(`lost-${by}`)).toHaveLength(3)
      expect(history.violations(await wholeLog(db.url))).toEqual([])
    }
  )

  test("an append whose reply never comes ends at its deadline as unknown, and says which ids to send again", async () => {
    const engine = await through({ emitDeadlineMs: deadlineMs })
    const events = meant("unanswered-1", 2)
    const lost = proxy.loseReply(append, "silence")
    const began = performance.now()
    const emitted = thrownBy(engine.emit("unanswered-1", toEmit(events)))
    await lost
    proxy.blackHole()
    const thrown = await emitted
    expect(performance.now() - began).toBeLessThan(deadlineMs + slackMs)
    expect(thrown).toBeInstanceOf(OutcomeUnknown)
    expect(thrown).toMatchObject({ stream: "unanswered-1", ids: events.map(({ id }) => id) })
    await proxy.heal()
    expect((await engine.emit("unanswered-1", toEmit(events))).version).toBe(2)
    expect(await inLog("unanswered-1")).toHaveLength(2)
  })

  test.each(["toServer", "toClient", undefined] as const)(
    "an emit into a black hole (%s) ends at its deadline, is told the truth, and sent again stands in the log once",
    async (direction) => {
      const engine = await through({ emitDeadlineMs: deadlineMs })
      const history = new History()
      const stream = `hole-${direction ?? "both"}`
      const events = meant(stream, 2)
      history.sent(events)
      proxy.blackHole(direction)
      const began = performance.now()
      const thrown = await thrownBy(engine.emit(stream, toEmit(events)))
      expect(performance.now() - began).toBeLessThan(deadlineMs + slackMs)
      // It may have been told apart that nothing was sent yet: then nothing may be there, now or later.
      if (thrown instanceof Unavailable) expect(await inLog(stream)).toHaveLength(0)
      else expect(thrown).toBeInstanceOf(OutcomeUnknown)
      await proxy.heal()
      history.acknowledged((await engine.emit(stream, toEmit(events))).events)
      expect(await inLog(stream)).toHaveLength(2)
      expect(history.violations(await wholeLog(db.url))).toEqual([])
    }
  )

  test("an emit that finds a black hole waits for the network to come back, where that is before its deadline", async () => {
    const engine = await through({ answerTimeoutMs: 300 })
    const events = meant("back-again")
    proxy.blackHole()
    const emitted = engine.emit("back-again", toEmit(events))
    await until(() => proxy.swallowed > 0)
    await proxy.heal()
    expect((await emitted).version).toBe(1)
    expect(await inLog("back-again")).toHaveLength(1)
  })

  test("an emit that has no connection yet when the black hole opens ends at its deadline as not done", async () => {
    const engine = await through({ emitDeadlineMs: deadlineMs })
    proxy.cut()
    // The engine has noticed, and has no connection any more.
    await until(() => proxy.connections === 0)
    await new Promise((resolve) => setImmediate(resolve))
    proxy.blackHole()
    const began = performance.now()
    const thrown = await thrownBy(engine.emit("unsent-1", toEmit(meant("unsent-1"))))
    expect(performance.now() - began).toBeLessThan(deadlineMs + slackMs)
    expect(thrown).toBeInstanceOf(Unavailable)
  })

  test("an emit that nothing was sent of ends at its deadline as not done", async () => {
    const engine = await through({ emitDeadlineMs: 600 })
    proxy.refuse()
    proxy.cut()
    await until(
      async () =>
        (
          await db.query(
            "select from pg_stat_activity where query ilike '%append_%' and pid <> pg_backend_pid() and datname = current_database()"
          )
        ).length === 0
    )
    const thrown = await thrownBy(engine.emit("refused-1", toEmit(meant("refused-1"))))
    expect(thrown).toBeInstanceOf(Unavailable)
    expect(await inLog("refused-1")).toHaveLength(0)
  })

  test("an emit of unknown outcome is never told that nothing was done, whatever its retry is refused with", async () => {
    const engine = await through({ answerTimeoutMs: 500 })
    const events = meant("gone-1", 2)
    const lost = proxy.loseReply(append, "silence")
    const emitted = thrownBy(engine.emit("gone-1", toEmit(events)))
    await lost
    await db.query("alter function tidemark.append_batch rename to append_batch_gone")
    const thrown = await emitted
    await db.query("alter function tidemark.append_batch_gone rename to append_batch")
    expect(thrown).toBeInstanceOf(OutcomeUnknown)
    expect(await inLog("gone-1")).toHaveLength(2)
  })

  test("a transaction whose reply to COMMIT was lost is unknown; the same events emitted again stand in the log once", async () => {
    const engine = await through()
    await db.query("create table notes (text text)")
    const events = meant("kept-1", 2)
    const lost = proxy.loseReply(commit, "cut")
    const thrown = await thrownBy(
      engine.transaction(async (tx) => {
        await tx.query("insert into notes values ('kept')")
        tx.emit("kept-1", toEmit(events))
      })
    )
    await lost
    expect(thrown).toBeInstanceOf(OutcomeUnknown)
    expect(thrown).toMatchObject({ ids: events.map(({ id }) => id) })
    expect((await engine.emit("kept-1", toEmit(events))).version).toBe(2)
    expect(await inLog("kept-1")).toHaveLength(2)
    expect(await db.query("select from notes")).toHaveLength(1)
  })
})

describe("the network fails while a subscription reads", () => {
  test.each(["cut", "hole"] as const)(
    "what was emitted meanwhile (%s) comes when it is back, once and in order",
    async (how) => {
      const engine = await through({ answerTimeoutMs: 300 })
      const other = await openEngine({ database: db.url })
      const history = new History()
      const reader = await startReader(engine, history)
      for (let round = 0; round < 3; round += 1) {
        if (how === "cut") proxy.cut()
        else proxy.blackHole()
        for (let count = 0; count < 20; count += 1) {
          const events = meant(`while-${how}`)
          history.sent(events)
          history.acknowledged((await other.emit(`while-${how}`, toEmit(events))).events)
        }
        if (how === "hole") await until(() => proxy.swallowed > 0)
        await proxy.heal()
      }
      await readToEnd(other, history, reader)
      expect(history.violations(await wholeLog(db.url))).toEqual([])
    }
  )
})
