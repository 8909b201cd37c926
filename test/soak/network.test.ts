import { expect, test } from "vitest"
import {
  engines,
  hearing,
  logBook,
  meant,
  readToEnd,
  startReader,
  toEmit,
  wholeLog
} from "../faults/scene.ts"
import { testDatabase } from "../support/database.ts"
import { until } from "../support/eventually.ts"
import { History } from "../support/history.ts"
import { startProxy } from "../support/proxy.ts"

const db = testDatabase()
const open = engines()

/** How soon a LISTEN connection that leads into a black hole is noticed at the latest, in ms. */
const noticedMs = 20_000

/** How soon an append whose answer does not come is sent again, by default, in ms. */
const appendAgainMs = 13_000

test(
  "a LISTEN connection into a black hole is noticed, and readers look by themselves until it is back",
  { timeout: 120_000 },
  async () => {
    await using proxy = await startProxy(db.url)
    const { logger, warnings } = logBook()
    const history = new History()
    const reads = await open({ database: db.url, wake: proxy.url, logger })
    const writes = await open({ database: db.url })
    await hearing(reads)
    const reader = await startReader(reads, history)
    const began = performance.now()
    proxy.blackHole()
    let latest = 0
    while ((await reads.status()).wake.mode === "listening") {
      const events = meant("unheard-1")
      history.sent(events)
      history.acknowledged((await writes.emit("unheard-1", toEmit(events))).events)
      const acknowledged = performance.now()
      await reader.given(events[0]!.id)
      latest = Math.max(latest, performance.now() - acknowledged)
      expect(performance.now() - began).toBeLessThan(noticedMs + latest)
    }
    expect(performance.now() - began).toBeLessThan(noticedMs)
    expect(latest).toBeLessThan(6_000)
    expect(warnings(/NOTIFY/)).toHaveLength(1)
    await proxy.heal()
    await until(async () => (await reads.status()).wake.mode === "listening", { within: noticedMs })
    await readToEnd(writes, history, reader)
    expect(history.violations(await wholeLog(db.url))).toEqual([])
  }
)

test(
  "an append whose reply never comes is sent again by itself, with the engine as it is by default",
  { timeout: 60_000 },
  async () => {
    await using proxy = await startProxy(db.url)
    const engine = await open({ database: proxy.url, wake: db.url })
    await engine.emit("warm-up", toEmit(meant("warm-up")))
    const events = meant("silent-1", 3)
    const lost = proxy.loseReply(/append_(?:lone|batch)/)
    const began = performance.now()
    const emitted = engine.emit("silent-1", toEmit(events))
    await lost
    expect((await emitted).version).toBe(3)
    expect(performance.now() - began).toBeLessThan(appendAgainMs)
    expect((await wholeLog(db.url)).filter(({ stream }) => stream === "silent-1")).toHaveLength(3)
  }
)
