import { randomBytes } from "node:crypto"
import { Effect } from "effect"
import { Client } from "pg"
import { afterAll, beforeAll, describe, expect, test } from "vitest"
import type { Filter } from "../../../src/log/filter.ts"
import { Pages } from "../../../src/log/page.ts"
import { PAGE_BYTES, PAGE_EVENTS, type Portion } from "../../../src/log/page-size.ts"
import { eventsOf, testLog, upTo } from "../test-log.ts"

// How much of the log the server hands out at a time.

const mebibyte = 1024 * 1024
const log = testLog({ maxEventBytes: 12 * mebibyte })

let client: Client
beforeAll(async () => {
  client = new Client({ connectionString: log.db.url })
  await client.connect()
})
afterAll(() => client.end())

const query = (text: string, values: Array<unknown>) =>
  Effect.promise(() => client.query({ text, values, rowMode: "array" }))

const read = (after: number, limit: number, filter: Filter): Promise<Portion> => {
  const pages = new Pages({ schema: "tidemark", query } as never)
  return Effect.runPromise(pages.between(after, Number.MAX_SAFE_INTEGER, limit, filter))
}

/** PostgreSQL compresses the one and not the other. */
const texts = {
  "that compress well": (bytes: number) => "x".repeat(bytes),
  "that do not compress": (bytes: number) => randomBytes(bytes / 2).toString("hex")
}

const emit = async (stream: string, datas: ReadonlyArray<unknown>, meta = {}): Promise<number> => {
  let first: number | undefined
  for (const data of datas) {
    const { position } = await log.engine.emit(stream, { type: "Large", data }, { meta })
    first ??= position
  }
  return first! - 1
}

const filters = (stream: string): ReadonlyArray<Filter> => [{}, { streams: [stream] }]

describe("a page", () => {
  test.each(Object.entries(texts))(
    "ends with the event that reaches the bytes: events %s",
    async (_, text) => {
      const stream = log.stream()
      const after = await emit(
        stream,
        upTo(10).map(() => ({ text: text(mebibyte) }))
      )
      const fit = PAGE_BYTES / mebibyte
      for (const filter of filters(stream)) {
        const { events, isFull } = await read(after, PAGE_EVENTS, filter)
        expect(events.map(({ version }) => version)).toEqual(upTo(fit))
        expect(isFull).toBe(true)
        const rest = await read(events.at(-1)!.position, PAGE_EVENTS, filter)
        expect(rest.events.map(({ version }) => version)).toEqual([fit + 1, fit + 2])
        expect(rest.isFull).toBe(false)
      }
    }
  )

  test("counts what is true of an append too", async () => {
    const stream = log.stream()
    const after = await emit(
      stream,
      upTo(6).map(() => ({})),
      { reason: "x".repeat(2 * mebibyte) }
    )
    for (const filter of filters(stream))
      expect((await read(after, PAGE_EVENTS, filter)).events).toHaveLength(PAGE_BYTES / mebibyte / 2)
  })

  test("has one event at least, however large it is", async () => {
    const stream = log.stream()
    const after = await emit(stream, [{ text: "x".repeat(10 * mebibyte) }, {}])
    for (const filter of filters(stream)) {
      const { events, isFull } = await read(after, PAGE_EVENTS, filter)
      expect(events).toHaveLength(1)
      expect(isFull).toBe(true)
    }
  })

  test.each([null, 1, "text", [1, 2], [], {}])("gives back data that is %j", async (data) => {
    const stream = log.stream()
    const after = await emit(stream, [data, data, [data, "x".repeat(10_000)]])
    for (const filter of filters(stream)) {
      expect((await read(after, 2, filter)).isFull).toBe(true)
      const { events, isFull } = await read(after, PAGE_EVENTS, filter)
      expect(events.map((event) => event.data)).toEqual([data, data, [data, "x".repeat(10_000)]])
      expect(isFull).toBe(false)
    }
  })

  test("says when an event was recorded, to the millisecond that it was in", async () => {
    const stream = log.stream()
    // Of that year's seconds a float comes back a little less, a thousand times over.
    const begin = Date.UTC(2038, 5, 2, 3, 4, 5)
    await log.db.query(
      `insert into tidemark.events (id, stream, version, type, data, recorded_at)
       select gen_random_uuid(), $1, n, 'Timed', '{}', timestamptz '2038-06-02 03:04:05Z' + n * interval '1 millisecond'
       from generate_series(1, 1000) n`,
      [stream]
    )
    const times = (await eventsOf(log.engine, stream)).map(({ recordedAt }) => recordedAt.getTime())
    expect(times).toEqual(upTo(1000).map((n) => begin + n))
  })

  test("of a stream is cut likewise, upwards and downwards, and the whole stream is read", async () => {
    const stream = log.stream()
    await emit(
      stream,
      upTo(20).map((n) => ({ text: "x".repeat(n % 2 === 0 ? mebibyte : 10) }))
    )
    const versions = async (options = {}) =>
      (await eventsOf(log.engine, stream, options)).map(({ version }) => version)
    expect(await versions()).toEqual(upTo(20))
    expect(await versions({ backwards: true })).toEqual(upTo(20).toReversed())
    expect(await versions({ from: 2, limit: 17 })).toEqual(upTo(18).slice(1))
    expect(await versions({ to: 19, limit: 18, backwards: true })).toEqual(upTo(19).slice(1).toReversed())
  })
})
