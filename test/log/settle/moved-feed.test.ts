import { Effect } from "effect"
import { expect, test } from "vitest"
import type { LogRewound } from "../../../src/log/error.ts"
import { FeedReader } from "../../../src/log/feed-reader.ts"
import { NO_FILTER } from "../../../src/log/filter.ts"
import { Pager } from "../../../src/log/pager.ts"
import { collector } from "../../support/eventually.ts"

// Rules S7 and S10 for a feed whose server becomes another from one look to the next.

/** How long the feed of these tests goes without asking the log who it is, in ms. */
const recogniseMs = 20

/** An event as the server hands it out, in arrays; only its position matters here. */
const row = (position: number) => [
  String(position),
  `id-${position}`,
  "s-1",
  "1",
  "T",
  "{}",
  [],
  "{}",
  new Date(0),
  1,
  false
]

const scene = () => {
  const server = {
    id: "log",
    epoch: 1,
    standby: false,
    changes: 0,
    positions: [1, 2, 3],
    recorded: 3,
    safeUpTo: null as string | null,
    fault: false
  }
  let known = { id: "log", epoch: 1, channel: "c", standby: false }
  let knownAt = 0
  let refreshed = 0
  const refresh = Effect.sync(() => {
    refreshed += 1
    known = { ...known, id: server.id, epoch: server.epoch, standby: server.standby }
    knownAt = server.changes
    return known
  })
  const isDoubtful = () => knownAt !== server.changes
  const identity = {
    current: () => known,
    refresh,
    isDoubtful,
    doubt: () => void (knownAt = -1),
    sure: Effect.suspend(() => (isDoubtful() ? refresh : Effect.void))
  }
  const answer = (text: string, values: ReadonlyArray<number> = []): ReadonlyArray<unknown> => {
    if (server.fault) {
      server.fault = false
      throw new RangeError("nobody foresaw it")
    }
    if (text.includes("epochs")) return [{ head: "99", safe_up_to: server.safeUpTo, standby: server.standby }]
    if (text.includes("max(position)")) return [{ position: String(server.positions.at(-1)) }]
    if (text.includes("log_holders")) return []
    if (text.includes("record_settled")) return [{ recorded: true }]
    if (!text.includes("position > $1")) return [{ position: String(server.recorded) }]
    const [after = 0] = values
    return server.positions.filter((position) => position > after).map(row)
  }
  const query = (text: string, values?: ReadonlyArray<number>) =>
    Effect.sync(() => ({ rows: answer(text, values), count: 0 }))
  const wakes = { pollMs: () => 5 }
  const reader = new FeedReader(
    { schema: "tidemark", query } as never,
    wakes as never,
    identity as never,
    recogniseMs
  )
  return { server, reader, refresh, refreshed: () => refreshed }
}

const play = (
  use: (
    all: ReturnType<typeof scene>,
    heard: ReturnType<typeof collector<number>>,
    ended: ReturnType<typeof collector<LogRewound>>
  ) => Promise<void>
) => {
  const all = scene()
  const ended = collector<LogRewound>()
  const heard = collector<number>()
  const offer = (events: ReadonlyArray<{ position: number }>) =>
    events.forEach((event) => heard.push(event.position))
  const body = Effect.gen(function* () {
    yield* all.reader.run
    yield* all.reader.start
    all.reader.attach({ offer, rewound: (error) => ended.push(error) })
    yield* Effect.promise(() => use(all, heard, ended))
  })
  return Effect.runPromise(Effect.scoped(body))
}

test("a feed that is led to a standby without an error hands out nothing that was not written down as settled", () =>
  play(async ({ server, refreshed }, heard) => {
    server.positions.push(4)
    await heard.reaches(1)
    server.standby = true
    server.changes += 1
    // Position 5 is under way on the primary, whose locks the standby does not have.
    server.positions.push(6)
    await new Promise<void>((resolve) => setTimeout(resolve, 60))
    expect(heard.items).toEqual([4])
    expect(refreshed()).toBeGreaterThan(0)
    server.positions = [1, 2, 3, 4, 5, 6]
    server.recorded = 6
    expect(await heard.reaches(3)).toEqual([4, 5, 6])
  }))

test("a fault that nobody foresaw does not end the feed", () =>
  play(async ({ server }, heard) => {
    server.fault = true
    server.positions.push(4)
    expect(await heard.reaches(1)).toEqual([4])
    expect(server.fault).toBe(false)
  }))

test("a feed in whose place another log was put, on the connections there are, ends with LogRewound and hands out nothing of it", () =>
  play(async ({ server }, heard, ended) => {
    server.positions.push(4)
    await heard.reaches(1)
    server.id = "another log"
    const [error] = await ended.reaches(1)
    server.positions.push(5)
    expect(error).toMatchObject({ _tag: "LogRewound", position: 4 })
    expect(error!.message).toContain("another log")
    expect(heard.items).toEqual([4])
  }))

test("what is read while another log takes the place is handed to nobody", () =>
  play(async ({ server }, heard, ended) => {
    server.id = "another log"
    server.changes += 1
    server.positions.push(4)
    await ended.reaches(1)
    expect(heard.items).toEqual([])
  }))

test("a page is of the log and the epoch of which the feed is, or is handed to nobody", () =>
  play(async ({ server, reader, refresh }, _heard, ended) => {
    const page = (after: number) => Effect.runPromise(reader.page(new Pager(reader.pages, NO_FILTER), after))
    expect(await page(1)).toMatchObject({ last: 3 })
    // Of three events the server that took over has two, and somebody else noticed before the feed did.
    server.epoch = 2
    server.safeUpTo = "2"
    server.positions.pop()
    await Effect.runPromise(refresh)
    expect(await page(1)).toBeUndefined()
    expect((await ended.reaches(1))[0]).toMatchObject({ _tag: "LogRewound", position: 3 })
    expect(reader.tail).toBeUndefined()
  }))

test("a page that the end of the feed's own stretch has passed already is none", () =>
  play(async ({ reader }) => {
    const pager = new Pager(reader.pages, NO_FILTER)
    expect(await Effect.runPromise(reader.page(pager, 3))).toBeUndefined()
    expect(await Effect.runPromise(reader.page(pager, 7))).toBeUndefined()
  }))
