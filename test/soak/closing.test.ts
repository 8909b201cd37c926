import { setTimeout as pause } from "node:timers/promises"
import { expect, test } from "vitest"
import { type Engine, open, OutcomeUnknown, Unavailable } from "../../src/index.ts"
import { meant, toEmit, wholeLog } from "../faults/scene.ts"
import { testDatabase } from "../support/database.ts"
import { inTime } from "../support/eventually.ts"
import { History } from "../support/history.ts"
import { startProxy } from "../support/proxy.ts"
import { random } from "../support/random.ts"

const db = testDatabase()

/** What an engine as it is by default may wait for what does not answer when it closes, in ms, as `close` promises. */
const readModelsMs = 5_000
const emitsMs = 10_000
/** A second for each goodbye: to the fleet, of the pool, of LISTEN and of NOTIFY. */
const goodbyesMs = 4 * 1_000

/** What a busy machine may be late by, in ms. */
const machineIsLateMs = 2_000

test("an engine that closes before an answer comes tells every emit so", { timeout: 90_000 }, async () => {
  await using proxy = await startProxy(db.url)
  const engine = await open({ database: proxy.url, logger: false })
  await engine.emit("warm-1", toEmit(meant("warm-1")))
  const history = new History()
  proxy.blackHole()
  const emitted = Array.from({ length: 20 }, async (_, at) => {
    const events = meant(`order-${at % 3}`)
    history.sent(events)
    const error: unknown = await engine
      .emit(events[0]!.stream, toEmit(events))
      .catch((thrown: unknown) => thrown)
    if (error instanceof Unavailable) history.refused(events[0]!.id)
    return error
  })
  await inTime(engine.close(), {
    within: readModelsMs + emitsMs + goodbyesMs + machineIsLateMs,
    what: "the engine to close"
  })
  for (const error of await inTime(Promise.all(emitted)))
    expect([OutcomeUnknown, Unavailable]).toContain((error as Error).constructor)
  const log = (await wholeLog(db.url)).filter(({ stream }) => stream.startsWith("order-"))
  expect(history.violations(log)).toEqual([])
})

/** How long the server takes to let go of an engine that nothing keeps from closing, in ms, the machine's delays included. */
const plainMs = 8_000

/** Engines that are closed in the middle of anything: of what opening goes on with, of a page, of LISTEN, of a NOTIFY. */
const closings = 150

test(
  `${closings} engines close at any moment of their lives, and everything that was asked of them ends`,
  { timeout: 120_000 },
  async () => {
    const seed = Date.now()
    const choices = random(seed)
    const url = await db.fresh()
    await using other = await open({ database: url, logger: false })
    await other.emit(
      "page-1",
      Array.from({ length: 900 }, () => ({ type: "Filled", data: { x: "y".repeat(100) } }))
    )
    let isOver = false
    const noise = (async () => {
      while (!isOver) {
        await other.emit("noise-1", { type: "Heard" })
        await other.agents.register({ agent: `a-${choices.between(1, 5)}`, state: "running" })
        await pause(choices.between(0, 6))
      }
    })()
    for (let nth = 0; nth < closings; nth += 1) {
      const engine = await open({ database: url, logger: false })
      const asked = Object.entries(questions).filter(() => choices.between(0, 2) === 0)
      const answers = Promise.allSettled(asked.map(([, ask]) => ask(engine)))
      const after = choices.between(0, 60)
      await pause(after)
      const what = `seed ${seed}, engine ${nth}, ${after} ms after ${asked.map(([name]) => name).join(", ")}`
      const held = () => process.getActiveResourcesInfo()
      await inTime(engine.close(), { within: plainMs, what: `${what}: to close` }, held)
      await inTime(answers, { within: plainMs, what: `${what}: the answers` }, held)
    }
    isOver = true
    await noise
  }
)

const questions: Readonly<Record<string, (engine: Engine) => Promise<unknown>>> = {
  emit: (engine) => Promise.all(["a-1", "a-2", "b-1"].map((stream) => engine.emit(stream, { type: "Own" }))),
  "subscribe from start": (engine) => engine.subscribe({ from: "start" }, () => undefined),
  subscribe: (engine) => engine.subscribe({}, () => undefined),
  query: (engine) => engine.agents.get({ agent: "a-1" }),
  read: async (engine) => {
    for await (const event of engine.read("page-1")) if (event.version === 700) break
  },
  status: (engine) => engine.status(),
  settled: (engine) => engine.settled(),
  transaction: (engine) =>
    engine.transaction(async (tx) => {
      await tx.query("select pg_sleep(0.01)")
      tx.emit("a-1", { type: "Own" })
    })
}
