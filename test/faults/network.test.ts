import { afterEach, beforeEach, describe, expect, test } from "vitest"
import { type Engine, type OpenOptions, OutcomeUnknown, type Tx, Unavailable } from "../../src/index.ts"
import { testDatabase } from "../support/database.ts"
import { deferred, until } from "../support/eventually.ts"
import { History } from "../support/history.ts"
import { type Proxy, startProxy } from "../support/proxy.ts"
import { type Eavesdropper, startEavesdropper } from "./eavesdropper.ts"
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

/** A message of an append names its prepared statement; one that is not prepared, the function. */
const append = /append_(?:lone|batch)/

const deadlineMs = 1_500

/** Enough for an emit of which nothing is sent: it waits for no answer. */
const unsentDeadlineMs = 600

/** How long an emit waits for the log to say whether it is still the same, before it is sent all the same, in ms. */
const questionMs = 1_000

/** How long an append that was sent is waited for, however near the deadline: two waits for a lock and a second, in ms. */
const leastAnswerMs = 2 * 250 + 1_000

/** What a busy machine may be late by, in ms: by the code alone, every emit ends when it must. */
const machineIsLateMs = 2_000

/** How an engine asks the log whether it is still the same, in front of an append. */
const question = "enter_epoch"

/** Ends one of the engine's connections that nobody uses, but none of those that listen and notify. */
const endOneOfTheEngine = `select pg_terminate_backend(pid)
  from (select pid from pg_stat_activity
         where datname = current_database() and application_name = 'tidemark' and state = 'idle'
           and query not ilike 'listen%' and query not ilike '%pg_notify%'
         limit 1) one`

/** Opens as many connections as the engine may have, so that none comes later; then the log need not be asked who it is. */
const connectAll = async (engine: Engine, ear: Eavesdropper): Promise<void> => {
  const poolSize = 10
  const all = deferred()
  let taken = 0
  const take = async (tx: Tx): Promise<void> => {
    await tx.query("select 1")
    taken += 1
    if (taken === poolSize) all.resolve()
    await all.promise
  }
  await Promise.all(Array.from({ length: poolSize }, () => engine.transaction(take)))
  await until(async () => {
    const asked = ear.count(question)
    await engine.emit("warm-up", { type: "happened", data: { content: "again" } })
    return ear.count(question) === asked
  })
}

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
    expect(performance.now() - began).toBeLessThan(deadlineMs + machineIsLateMs)
    expect(thrown).toBeInstanceOf(OutcomeUnknown)
    expect(thrown).toMatchObject({ stream: "unanswered-1", ids: events.map(({ id }) => id) })
    await proxy.heal()
    expect((await engine.emit("unanswered-1", toEmit(events))).version).toBe(2)
    expect(await inLog("unanswered-1")).toHaveLength(2)
  })

  test.each(["toServer", "toClient", undefined] as const)(
    "an append that was sent into a black hole (%s) ends at its deadline as unknown, and sent again stands in the log once",
    async (direction) => {
      await using ear = await startEavesdropper(proxy.url)
      const engine = await through({ database: ear.url, emitDeadlineMs: deadlineMs })
      await connectAll(engine, ear)
      const history = new History()
      const stream = `hole-${direction ?? "both"}`
      const events = meant(stream, 2)
      history.sent(events)
      proxy.blackHole(direction)
      const began = performance.now()
      const thrown = await thrownBy(engine.emit(stream, toEmit(events)))
      expect(performance.now() - began).toBeLessThan(deadlineMs + machineIsLateMs)
      expect(ear.heard(stream)).toBe(true)
      expect(thrown).toBeInstanceOf(OutcomeUnknown)
      expect(thrown).toMatchObject({ stream, ids: events.map(({ id }) => id) })
      await proxy.heal()
      history.acknowledged((await engine.emit(stream, toEmit(events))).events)
      expect(await inLog(stream)).toHaveLength(2)
      expect(history.violations(await wholeLog(db.url))).toEqual([])
    }
  )

  test("an append that was sent late, because a question to the log went before it into the black hole, is unknown too", async () => {
    await using ear = await startEavesdropper(proxy.url)
    const engine = await through({ database: ear.url, emitDeadlineMs: deadlineMs })
    await connectAll(engine, ear)
    const { ended } = ear
    proxy.blackHole("toServer")
    const asked = ear.count(question)
    await db.query(endOneOfTheEngine)
    await until(() => ear.ended > ended)
    await new Promise((resolve) => setImmediate(resolve))
    const began = performance.now()
    const thrown = await thrownBy(engine.emit("late-1", toEmit(meant("late-1"))))
    expect(performance.now() - began).toBeLessThan(questionMs + leastAnswerMs + machineIsLateMs)
    expect(ear.count(question)).toBeGreaterThan(asked)
    expect(ear.heard("late-1")).toBe(true)
    expect(thrown).toBeInstanceOf(OutcomeUnknown)
  })

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

  test.each(["toServer", "toClient", undefined] as const)(
    "an emit that has no connection when the black hole (%s) opens ends at its deadline as not done",
    async (direction) => {
      await using ear = await startEavesdropper(proxy.url)
      const engine = await through({ database: ear.url, emitDeadlineMs: unsentDeadlineMs })
      const stream = `unsent-${direction ?? "both"}`
      const { connections, ended } = ear
      // From here on no connection comes about any more.
      proxy.blackHole(direction)
      proxy.cut()
      await until(() => ear.ended >= ended + connections)
      await new Promise((resolve) => setImmediate(resolve))
      const began = performance.now()
      const thrown = await thrownBy(engine.emit(stream, toEmit(meant(stream))))
      expect(performance.now() - began).toBeLessThan(unsentDeadlineMs + machineIsLateMs)
      expect(ear.heard(stream)).toBe(false)
      expect(thrown).toBeInstanceOf(Unavailable)
      expect(await inLog(stream)).toHaveLength(0)
    }
  )

  test("an emit that nothing was sent of ends at its deadline as not done", async () => {
    const engine = await through({ emitDeadlineMs: unsentDeadlineMs })
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

  test("a transaction whose reply to BEGIN was lost says that nothing was kept", async () => {
    const engine = await through()
    const lost = proxy.loseReply(/begin isolation level/, "cut")
    const thrown = await thrownBy(
      engine.transaction(async (tx) => tx.emit("begun-1", toEmit(meant("begun-1"))))
    )
    await lost
    expect(thrown).toMatchObject({ _tag: "ConnectionLost", nothingKept: true })
    expect(await inLog("begun-1")).toHaveLength(0)
  })

  /** What a caller does who may not do it twice: a row of its own, and events in two streams. */
  const keep =
    (name: string, events: ReturnType<typeof meant>, before?: () => void) =>
    async (tx: Tx): Promise<void> => {
      await tx.query("insert into notes values ($1)", [name])
      tx.emit(`${name}-2`, toEmit(events.slice(1)))
      tx.emit(`${name}-1`, toEmit(events.slice(0, 1)))
      await tx.flush()
      before?.()
    }

  const notes = async (name: string) => db.query("select from notes where text = $1", [name])

  const saysWhatToDo = (thrown: unknown, name: string, events: ReturnType<typeof meant>): void => {
    expect(thrown).toBeInstanceOf(OutcomeUnknown)
    const error = thrown as OutcomeUnknown
    expect(error).toMatchObject({ transaction: true, stream: error.streams![0] })
    expect(error.streams!.toSorted()).toEqual([`${name}-1`, `${name}-2`])
    expect(error.ids.toSorted()).toEqual(events.map(({ id }) => id).toSorted())
    for (const said of [...error.ids, ...error.streams!]) expect(error.message).toContain(said)
    expect(error.message).toContain("Do not emit its events alone")
    expect(error.message).not.toContain("same events again")
  }

  /** As the message says: one of the ids, in the streams that it names. */
  const isCommitted = async (engine: Engine, { ids, streams = [] }: OutcomeUnknown): Promise<boolean> => {
    for (const stream of streams)
      for await (const { id } of engine.read(stream)) if (ids.includes(id)) return true
    return false
  }

  test("a transaction whose reply to COMMIT was lost is unknown; its ids in its streams say that it was committed", async () => {
    const engine = await through()
    await db.query("create table if not exists notes (text text)")
    const events = meant("kept", 3)
    const lost = proxy.loseReply(commit, "cut")
    const thrown = await thrownBy(engine.transaction(keep("kept", events)))
    await lost
    saysWhatToDo(thrown, "kept", events)
    await until(() => isCommitted(engine, thrown as OutcomeUnknown))
    expect(await notes("kept")).toHaveLength(1)
  })

  test("a transaction whose COMMIT never reached the server is unknown; without its ids in the log it is run again, rows and events", async () => {
    const engine = await through({ answerTimeoutMs: 300 })
    await db.query("create table if not exists notes (text text)")
    const events = meant("unkept", 3)
    const swallowed = keep("unkept", events, () => proxy.blackHole("toServer"))
    const thrown = await thrownBy(engine.transaction(swallowed))
    saysWhatToDo(thrown, "unkept", events)
    await proxy.heal()
    proxy.cut()
    await until(
      async () =>
        (await db.query("select from pg_locks where relation = 'notes'::regclass and granted")).length === 0
    )
    expect(await isCommitted(engine, thrown as OutcomeUnknown)).toBe(false)
    expect(await notes("unkept")).toHaveLength(0)
    await engine.transaction(keep("unkept", events))
    expect(await notes("unkept")).toHaveLength(1)
    expect(await inLog("unkept-1")).toHaveLength(1)
    expect(await inLog("unkept-2")).toHaveLength(2)
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
