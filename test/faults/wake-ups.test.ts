import { setTimeout as pause } from "node:timers/promises"
import { describe, expect, test } from "vitest"
import { type Engine, open, type OpenOptions } from "../../src/index.ts"
import { testDatabase } from "../support/database.ts"
import { until } from "../support/eventually.ts"
import { History } from "../support/history.ts"
import { startProxy } from "../support/proxy.ts"
import { backends, terminateOne } from "./backends.ts"
import { startDeafProxy } from "./deaf-proxy.ts"
import { hearing, logBook, meant, named, readToEnd, startReader, toEmit, wholeLog } from "./scene.ts"

const db = testDatabase()
const openEngine = (options: OpenOptions): Promise<Engine> => open({ logger: false, ...options })

/** How often a reader looks by itself, in ms, when it knows that it hears nothing, and when it believes that it does. */
const deafPollMs = 250
const hearingPollMs = 5_000

/** How much later a busy machine may be, in ms. */
const slackMs = 750

/** Emits one event after the other, and says how late each was delivered, in ms. */
const latencies = async (
  writer: Engine,
  reader: Awaited<ReturnType<typeof startReader>>,
  history: History,
  count: number
): Promise<ReadonlyArray<number>> => {
  const late: Array<number> = []
  for (let nth = 0; nth < count; nth += 1) {
    const events = meant("late-1")
    history.sent(events)
    history.acknowledged((await writer.emit("late-1", toEmit(events))).events)
    const acknowledged = performance.now()
    await reader.given(events[0]!.id)
    late.push(performance.now() - acknowledged)
  }
  return late
}

// What these tests do is wait, each for a log of its own, so they wait together.
describe.concurrent("NOTIFY does not arrive", () => {
  test("where a pooler swallows it, that is noticed, logged once, and readers look by themselves", async () => {
    const url = await db.fresh()
    await using deaf = await startDeafProxy(url)
    const { logger, warnings } = logBook()
    const history = new History()
    await using reads = await openEngine({ database: url, wake: deaf.url, logger })
    await using writes = await openEngine({ database: url })
    const reader = await startReader(reads, history)
    await until(() => warnings(/NOTIFY does not arrive/).length > 0)
    const late = await latencies(writes, reader, history, 8)
    expect(Math.max(...late)).toBeLessThan(deafPollMs + slackMs)
    expect((await reads.status()).wake.mode).toBe("polling")
    expect(deaf.dropped).toBeGreaterThan(0)
    expect(warnings(/NOTIFY/)).toHaveLength(1)
    await readToEnd(writes, history, reader)
    expect(history.violations(await wholeLog(url))).toEqual([])
  })

  test("where writers and readers were told different places, readers look by themselves often enough", async () => {
    const url = await db.fresh()
    const history = new History()
    await using reads = await openEngine({ database: url, wake: await db.fresh({ empty: true }) })
    await using writes = await openEngine({ database: url })
    await hearing(reads)
    const reader = await startReader(reads, history, "reader", (await wholeLog(url)).at(-1)?.position ?? 0)
    const late = await latencies(writes, reader, history, 1)
    expect(Math.max(...late)).toBeLessThan(hearingPollMs + slackMs)
    expect(history.violations(await wholeLog(url))).toEqual([])
  })

  test("where LISTEN was lost, readers look at once and often until it is in force again", async () => {
    const url = await db.fresh()
    await using proxy = await startProxy(url)
    const { logger, warnings } = logBook()
    const history = new History()
    await using reads = await openEngine({ database: url, wake: proxy.url, logger })
    await using writes = await openEngine({ database: url })
    await hearing(reads)
    const reader = await startReader(reads, history)
    await latencies(writes, reader, history, 1)
    proxy.refuse()
    proxy.cut()
    const late = await latencies(writes, reader, history, 5)
    expect(Math.max(...late)).toBeLessThan(deafPollMs + slackMs)
    await proxy.heal()
    await hearing(reads)
    expect(warnings(/NOTIFY/)).toHaveLength(1)
    await readToEnd(writes, history, reader)
    expect(history.violations(await wholeLog(url))).toEqual([])
  })

  // By itself: it has to end the connection before the time for the proof is over.
  test.sequential("a LISTEN connection that was lost before it was proven says nothing about the one after it", async () => {
    const url = await db.fresh()
    await using deaf = await startDeafProxy(named(url, "unproven"))
    const { logger, warnings } = logBook()
    await using engine = await openEngine({ database: url, wake: deaf.url, logger })
    await until(() => deaf.dropped > 0)
    deaf.hear()
    await terminateOne(url, "unproven", "listener", (pids) => pids[0]!)
    await hearing(engine)
    // The time that a proof may take, and a little more: an earlier one must not be missed any longer.
    await pause(3_500)
    expect((await engine.status()).wake.mode).toBe("listening")
    expect(warnings(/did not come back/)).toEqual([])
  })

  test("a LISTEN connection that an administrator ends is there again a moment later", async () => {
    const url = await db.fresh()
    await using engine = await openEngine({ database: named(url, "listens") })
    await hearing(engine)
    const before = await terminateOne(url, "listens", "listener", (pids) => pids[0]!)
    await until(async () => {
      const [now] = await backends(url, "listens", "listener")
      return now !== undefined && now !== before
    })
    await hearing(engine)
  })
})

describe("forged notifications", () => {
  const forged = [
    "",
    "{",
    '{"position": 1}',
    "null",
    "-1",
    "0",
    "1e9",
    "0x10",
    "NaN",
    "9007199254740993",
    "9999999999999999",
    "99999999999999999999999999",
    "echo-",
    "echo-0000000000000000",
    "\u{1f600}",
    "x".repeat(7_999)
  ]

  test("do no harm, whatever they say and however many there are", async () => {
    const { logger, warnings } = logBook()
    const history = new History()
    await using engine = await openEngine({ database: db.url, logger })
    await hearing(engine)
    const reader = await startReader(engine, history)
    const forge = (payloads: ReadonlyArray<string>) =>
      db.query("select pg_notify(tidemark.wake_channel(), payload) from unnest($1::text[]) as payload", [
        payloads
      ])
    await forge(forged)
    for (let round = 0; round < 10; round += 1) {
      await forge(Array.from({ length: 2_000 }, (_, at) => String(at * 1_000_003)))
      await latencies(engine, reader, history, 1)
    }
    await readToEnd(engine, history, reader)
    expect((await engine.status()).wake.mode).toBe("listening")
    expect(reader.subscription.position).toBeLessThanOrEqual((await engine.status()).head)
    expect(warnings(/./)).toEqual([])
    expect(history.violations(await wholeLog(db.url))).toEqual([])
  })
})
