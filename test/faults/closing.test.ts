import { describe, expect, test } from "vitest"
import { type Engine, open, type OpenOptions, OutcomeUnknown, Unavailable } from "../../src/index.ts"
import { testDatabase } from "../support/database.ts"
import { deferred, inTime, until } from "../support/eventually.ts"
import { History } from "../support/history.ts"
import { startWorker } from "../support/process.ts"
import { type Proxy, startProxy } from "../support/proxy.ts"
import { hearing, meant, toEmit, wholeLog } from "./scene.ts"

const db = testDatabase()

const deadlineMs = 1_000

/** What each part of a closing engine may wait for what does not answer, in ms, as `close` promises. */
const readModelsMs = 5_000
const transactionsMs = 3_000
/** How long what was emitted is still sent where the server takes it. */
const sendingMs = 10_000
/** An emit ends at its deadline, or when what was sent just before it had two waits for a lock (250 ms each) and a second. */
const emitsMs = deadlineMs + 1_500
/** A second for each goodbye: to the fleet, of the pool, of LISTEN and of NOTIFY. */
const goodbyesMs = 4 * 1_000

/** What a busy machine may be late by, in ms. */
const machineIsLateMs = 2_000

/** The simple query that ends a transaction: its type, its length, its text. */
const commit = /^Q[^]{4}commit\0/

/** An engine behind a proxy; it has emitted once, so that it is connected. */
const through = async (proxy: Proxy, options: OpenOptions = {}): Promise<Engine> => {
  const engine = await open({ database: proxy.url, logger: false, emitDeadlineMs: deadlineMs, ...options })
  // On a busy machine the first connection alone may take longer than an emit has here.
  await until(() => engine.emit("warm-up", { type: "happened", data: { content: "first" } }))
  return engine
}

const closes = (engine: Engine, ...parts: ReadonlyArray<number>) =>
  inTime(engine.close(), {
    within: parts.reduce((sum, part) => sum + part, machineIsLateMs),
    what: "the engine to close"
  })

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
    const engine = await through(proxy, { emitDeadlineMs: sendingMs })
    const emitted = emitMany(engine, history, "flushed", 3_000)
    await closes(engine, sendingMs)
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
    // Here the emits end while the read models are waited for.
    ["a black hole", "hole", [readModelsMs, goodbyesMs]],
    ["a refusing server", "refusing", [emitsMs, goodbyesMs]]
  ] as const)("ends within bounds in front of %s, and every emit is told", async (_, category, within) => {
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
    await closes(engine, ...within)
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
    await closes(engine, readModelsMs, goodbyesMs)
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
    await closes(engine, goodbyesMs)
  })

  test("ends within bounds while the COMMIT of a read model gets no answer", async () => {
    // A log of its own: nobody else folds the event.
    await using proxy = await startProxy(await db.fresh())
    const engine = await through(proxy)
    const lost = proxy.loseReply(commit, "silence")
    await engine.agents.register({ agent: "a-1", state: "running" })
    await lost
    await closes(engine, readModelsMs, goodbyesMs)
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
    await closes(engine, transactionsMs, goodbyesMs)
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
    await worker.saysThat((said) => said.closed === true, {
      within: readModelsMs + goodbyesMs + machineIsLateMs
    })
    expect(await inTime(worker.exited, { within: 2_000 })).toEqual({ code: 0, signal: null })
  })
})
