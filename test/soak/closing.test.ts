import { expect, test } from "vitest"
import { open, OutcomeUnknown, Unavailable } from "../../src/index.ts"
import { meant, toEmit, wholeLog } from "../faults/scene.ts"
import { testDatabase } from "../support/database.ts"
import { inTime } from "../support/eventually.ts"
import { History } from "../support/history.ts"
import { startProxy } from "../support/proxy.ts"

const db = testDatabase()

/** How long an engine as it is by default may take to close in front of a black hole, in ms. */
const boundMs = 40_000

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
  await inTime(engine.close(), { within: boundMs, what: "the engine to close" })
  for (const error of await inTime(Promise.all(emitted)))
    expect([OutcomeUnknown, Unavailable]).toContain((error as Error).constructor)
  const log = (await wholeLog(db.url)).filter(({ stream }) => stream.startsWith("order-"))
  expect(history.violations(log)).toEqual([])
})
