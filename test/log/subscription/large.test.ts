import { Schema } from "effect"
import { describe, expect, test } from "vitest"
import { eventType } from "../../../src/index.ts"
import { PAGE_BYTES } from "../../../src/log/page-size.ts"
import { MAX_BUFFERED_BYTES } from "../../../src/log/subscription.ts"
import { collector, deferred, inTime, until } from "../../support/eventually.ts"
import { testLog, upTo } from "../test-log.ts"

// What is held for somebody slow is bounded in bytes as well as in events.

/** What its upcaster makes of it is another event than was read, and as large. */
const Large = eventType("Large", Schema.Struct({ text: Schema.String }), {
  schemaVersion: 2,
  upcasts: { 1: (data) => data }
})
const log = testLog({ events: [Large] })

const textBytes = 1_000_000
const count = 36

const appendLarge = async (stream: string) => {
  await log.db.query(
    `select from tidemark.append_events($1, (
       select jsonb_agg(jsonb_build_object(
         'type', 'Large', 'schemaVersion', 1, 'data', jsonb_build_object('text', repeat('x', $2))))
       from generate_series(1, $3)))`,
    [stream, textBytes, count]
  )
  await log.db.query("select tidemark.wake()")
}

/** What a loop has in its hands, what comes next, and what is read ahead of that. */
const piecesOfLoop = 3

/** As many events as reach a bound, which the last of them may pass. */
const reaching = (bytes: number) => Math.ceil(bytes / textBytes)

describe("a slow subscriber of large events", () => {
  test("holds no more of them than so many bytes, and hears all of them in order when it is let go", async () => {
    const stream = log.stream()
    const gate = deferred()
    const versions: Array<number> = []
    let mostBuffered = 0
    const one = await log.engine.subscribe({ streams: [stream] }, async ({ version }) => {
      versions.push(version)
      await gate.promise
      mostBuffered = Math.max(mostBuffered, one.status().buffered)
    })
    const quick = collector<number>()
    const other = await log.engine.subscribe({ streams: [stream] }, ({ version }) => quick.push(version))
    await appendLarge(stream)
    expect(await quick.reaches(count)).toEqual(upTo(count))
    expect(one.status().buffered).toBeGreaterThan(0)
    expect(one.status().buffered).toBeLessThanOrEqual(reaching(MAX_BUFFERED_BYTES))
    gate.resolve()
    await until(() => versions.length >= count)
    expect(versions).toEqual(upTo(count))
    expect(mostBuffered).toBeLessThanOrEqual(reaching(MAX_BUFFERED_BYTES))
    await Promise.all([one.stop(), other.stop()])
  })
})

describe("a loop over large events", () => {
  const position = async () => (await log.engine.status()).subscriptions.at(-1)!.position

  /** A loop that has taken one event, and what it reads ahead has reached its bound. */
  const heldBack = async (stream: string) => {
    await appendLarge(stream)
    const rows = await log.db.query<{ position: string }>(
      "select position from tidemark.events where stream = $1 order by position",
      [stream]
    )
    const positions = rows.map((row) => Number(row.position))
    const events = log.engine.events({ from: "start", streams: [stream] })[Symbol.asyncIterator]()
    const first = await events.next()
    await until(async () => (await position()) >= positions[reaching(PAGE_BYTES) - 2]!)
    // Long enough for a reader that nothing holds back to read all of it.
    const whole = collector<number>()
    const options = { from: "start", streams: [stream] } as const
    const other = await log.engine.subscribe(options, ({ version }) => whole.push(version))
    await whole.reaches(count)
    await other.stop()
    return { events, first, positions }
  }

  test("reads no more of them ahead than so many bytes, and misses none", async () => {
    const { events, first, positions } = await heldBack(log.stream())
    expect(await position()).toBeLessThanOrEqual(positions[piecesOfLoop * reaching(PAGE_BYTES)]!)
    const versions = [first.value!.version]
    while (versions.length < count) versions.push((await events.next()).value!.version)
    expect(versions).toEqual(upTo(count))
    await events.return?.()
  })

  test("can be left at once while it is held back", async () => {
    const { events } = await heldBack(log.stream())
    // Less than an engine waits for a handler that does not end.
    await inTime(Promise.resolve(events.return?.()), { within: 4_000 })
    expect((await log.engine.status()).subscriptions).toEqual([])
  })
})
