import { describe, expect, test } from "vitest"
import { type Engine, open, type OpenOptions, OutcomeUnknown, Unavailable } from "../../src/index.ts"
import { testDatabase } from "../support/database.ts"
import { deferred, inTime, until } from "../support/eventually.ts"
import { History } from "../support/history.ts"
import { startWorker } from "../support/process.ts"
import { type Proxy, startProxy } from "../support/proxy.ts"
import { hearing, meant, toEmit, wholeLog } from "./scene.ts"

const db = testDatabase()

/** How long closing may take at most, in ms: every part of the engine has its patience with what does not answer. */
const boundMs = 20_000
const deadlineMs = 1_000

/** An engine behind a proxy; it has emitted once, so that it is connected. */
const through = async (proxy: Proxy, options: OpenOptions = {}): Promise<Engine> => {
  const engine = await open({ database: proxy.url, logger: false, emitDeadlineMs: deadlineMs, ...options })
  // On a busy machine the first connection alone may take longer than an emit has here.
  await until(() => engine.emit("warm-up", { type: "happened", data: { content: "first" } }))
  return engine
}

const closes = (engine: Engine) => inTime(engine.close(), { within: boundMs, what: "the engine to close" })

/** So many emits at once, each with its outcome: everyone is told something. */
const emitMany = (
  engine: Engine,
  history: History,
  category: string,
  count: number
): Promise<ReadonlyArray<unknown>> =>
  Promise.all(
    Array.from({ length: count }, async (_, at) => {
      const events = meant(`${category}-${at % 7}`, 1 + (at % 3))
      history.sent(events)
      try {
        history.acknowledged((await engine.emit(events[0]!.stream, toEmit(events))).events)
        return undefined
      } catch (error) {
        if (error instanceof Unavailable) history.refused(events[0]!.id)
        return error
      }
    })
  )

const logOf = async (category: string) =>
  (await wholeLog(db.url)).filter(({ stream }) => stream.startsWith(`${category}-`))

// What these tests do is wait, so they wait together.
describe.concurrent("closing an engine", () => {
  test("sends what was emitted before, and tells everyone", async () => {
    await using proxy = await startProxy(db.url)
    const history = new History()
    const engine = await through(proxy)
    const emitted = emitMany(engine, history, "flushed", 3_000)
    await closes(engine)
    const outcomes = await inTime(emitted)
    expect(outcomes.filter((outcome) => outcome !== undefined)).toEqual([])
    expect(history.violations(await logOf("flushed"))).toEqual([])
  })

  test("refuses what is emitted afterwards", async () => {
    await using proxy = await startProxy(db.url)
    const engine = await through(proxy)
    await engine.close()
    await expect(engine.emit("late-1", toEmit(meant("late-1")))).rejects.toBeInstanceOf(Unavailable)
  })

  test("may be asked for twice, at once and later", async () => {
    await using proxy = await startProxy(db.url)
    const engine = await through(proxy)
    await Promise.all([engine.close(), engine.close()])
    await engine.close()
    await engine[Symbol.asyncDispose]()
  })

  test.each([
    ["a black hole", "hole"],
    ["a refusing server", "refusing"]
  ])("ends within bounds in front of %s, and every emit is told", async (_, category) => {
    await using proxy = await startProxy(db.url)
    const history = new History()
    const engine = await through(proxy)
    await hearing(engine)
    await engine.subscribe({ from: "start" }, () => undefined)
    const emitted = emitMany(engine, history, category, 50)
    // The first batch is on its way, the others wait for it.
    for (let turn = 0; turn < 3; turn += 1) await new Promise((resolve) => setImmediate(resolve))
    if (category === "hole") proxy.blackHole()
    else {
      proxy.refuse()
      proxy.cut()
    }
    await closes(engine)
    const outcomes = await inTime(emitted)
    for (const outcome of outcomes.filter((one) => one !== undefined))
      expect([OutcomeUnknown, Unavailable]).toContain((outcome as Error).constructor)
    expect(history.violations(await logOf(category))).toEqual([])
  })

  test("ends within bounds while a subscription reads from a black hole", async () => {
    await using proxy = await startProxy(db.url)
    const engine = await through(proxy)
    const reading = deferred()
    const goOn = deferred()
    await engine.subscribe({ from: "start" }, async () => {
      reading.resolve()
      await goOn.promise
    })
    await reading.promise
    proxy.blackHole()
    goOn.resolve()
    await closes(engine)
  })

  test("ends within bounds while LISTEN is being made again", async () => {
    await using proxy = await startProxy(db.url)
    const engine = await through(proxy)
    await hearing(engine)
    proxy.refuse()
    proxy.cut()
    await until(async () =>
      engine.status().then(
        ({ wake }) => wake.mode === "polling",
        () => true
      )
    )
    await closes(engine)
  })

  test("ends within bounds while a transaction of the caller's does not end", async () => {
    await using proxy = await startProxy(db.url)
    const engine = await through(proxy)
    const begun = deferred()
    const never = deferred()
    const transaction = engine.transaction(async (tx) => {
      await tx.query("select 1")
      begun.resolve()
      await never.promise
    })
    await begun.promise
    await closes(engine)
    never.reject(new Error("the test is over"))
    await expect(inTime(transaction)).rejects.toThrow()
  })

  test("lets the process end by itself, whatever its connections have come to", async () => {
    await using proxy = await startProxy(db.url)
    await using worker = startWorker<{ ready?: true; closed?: true }>("closer", {
      input: { database: proxy.url }
    })
    await worker.saysThat((said) => said.ready === true)
    proxy.blackHole()
    worker.send("close")
    await worker.saysThat((said) => said.closed === true, { within: boundMs })
    expect(await inTime(worker.exited, { within: 2_000 })).toEqual({ code: 0, signal: null })
  })
})
