import { Effect, Stream } from "effect"
import { describe, expect, test } from "vitest"
import { ConnectionLost, PostgresError, Rejected } from "../../../src/postgres/error.ts"
import { LogRewound } from "../../../src/log/error.ts"
import type { Event } from "../../../src/log/event.ts"
import { EventTypes } from "../../../src/log/event-type.ts"
import type { Origin } from "../../../src/log/identity.ts"
import type { Portion } from "../../../src/log/page-size.ts"
import { replay, type ReplayParts } from "../../../src/log/replay/replay.ts"
import { deferred, until } from "../../support/eventually.ts"
import { upTo } from "../test-log.ts"

// When a page is asked for, and what happens where it does not come, over a log in memory.

const eventAt = (position: number): Event => ({
  position,
  id: String(position),
  stream: "s-1",
  version: position,
  type: "T",
  data: {},
  labels: [],
  meta: {},
  recordedAt: new Date(0),
  schemaVersion: 1
})

/** A server that answers with pages of so many events, and whatever a test has it do before. */
const logOf = (size: number, pageEvents: number) => {
  const asked: Array<number> = []
  const server = {
    asked,
    origin: { id: "log", epoch: 1 } as Origin,
    rewound: undefined as LogRewound | undefined,
    judged: [] as Array<number>,
    /** It is a standby, where so much is written down as settled. */
    standby: undefined as { settled: number } | undefined,
    /** What a page that begins behind a position waits for, or fails with. */
    before: (_after: number): Effect.Effect<void, PostgresError> => Effect.void
  }
  const between = (after: number, last: number): Effect.Effect<Portion, PostgresError> =>
    Effect.suspend(() => {
      asked.push(after)
      const end = Math.min(size, last, after + pageEvents)
      const events = upTo(end).slice(after).map(eventAt)
      const portion = { events, count: events.length, last: end, isFull: events.length === pageEvents }
      return Effect.as(server.before(after), portion)
    })
  const parts = {
    feed: {
      pages: {
        between,
        settledPosition: () => Effect.sync(() => server.standby?.settled ?? size)
      },
      settled: Effect.succeed(size),
      origin: () => server.origin,
      rewound: (position: number) =>
        Effect.sync(() => {
          server.judged.push(position)
          return server.rewound
        }),
      sure: <A>(query: Effect.Effect<A, PostgresError>) =>
        Effect.suspend(() => {
          const before = server.standby
          return Effect.map(query, (answer) => (server.standby === before ? answer : undefined))
        })
    },
    identity: { current: () => ({ standby: server.standby !== undefined }) },
    resume: { position: () => Effect.succeed(0) },
    types: new EventTypes()
  } as unknown as ReplayParts
  return { server, parts }
}

const lost = new PostgresError({ reason: new ConnectionLost({ detail: "for a test" }) })

const positionsOf = (parts: ReplayParts): Promise<ReadonlyArray<number>> =>
  Effect.runPromise(Stream.runCollect(Stream.map(replay(parts), ({ position }) => position)))

describe("the pages of a replay", () => {
  test("are asked for one ahead of what is consumed, and no more than one", async () => {
    const { server, parts } = logOf(50, 10)
    const expected: Array<ReadonlyArray<number>> = []
    let seen = 0
    for await (const { position } of Stream.toAsyncIterable(replay(parts))) {
      seen = position
      if (position % 10 === 1) expected.push([...server.asked])
      await new Promise((resolve) => setImmediate(resolve))
    }
    expect(seen).toBe(50)
    expect(expected).toEqual([
      [0, 10],
      [0, 10, 20],
      [0, 10, 20, 30],
      [0, 10, 20, 30, 40],
      [0, 10, 20, 30, 40]
    ])
  })

  test("that are on their way when the loop is left are given up", async () => {
    const { server, parts } = logOf(50, 10)
    const givenUp = deferred<number>()
    server.before = (after) =>
      after === 0
        ? Effect.void
        : Effect.onInterrupt(Effect.never, () => Effect.sync(() => givenUp.resolve(after)))
    for await (const _ of Stream.toAsyncIterable(replay(parts))) break
    expect(await givenUp.promise).toBe(10)
  })

  test("that do not come are asked for again, and nothing is missing or twice", async () => {
    const { server, parts } = logOf(40, 10)
    let losses = 3
    server.before = (after) => (after === 20 && losses-- > 0 ? Effect.fail(lost) : Effect.void)
    expect(await positionsOf(parts)).toEqual(upTo(40))
    expect(server.asked).toEqual([0, 10, 20, 20, 20, 20, 30])
  })

  test("that the server refuses end it, behind what came before", async () => {
    const { server, parts } = logOf(40, 10)
    const refused = new PostgresError({ reason: new Rejected({ detail: "for a test", sqlState: "XX000" }) })
    server.before = (after) => (after === 10 ? Effect.fail(refused) : Effect.void)
    const seen: Array<number> = []
    const looping = (async () => {
      for await (const { position } of Stream.toAsyncIterable(replay(parts))) seen.push(position)
    })()
    await expect(looping).rejects.toMatchObject({ reason: { _tag: "Rejected" } })
    expect(seen).toEqual(upTo(10))
    expect(server.asked).toEqual([0, 10])
  })

  test("of another epoch are read anew where what is to come outlived the change", async () => {
    const { server, parts } = logOf(30, 10)
    server.before = (after) =>
      Effect.sync(() => {
        if (after === 10) server.origin = { id: "log", epoch: 2 }
      })
    expect(await positionsOf(parts)).toEqual(upTo(30))
    expect(server.judged).toEqual([30])
  })

  test("of a standby in place of the primary are read when it has all that was settled", async () => {
    const { server, parts } = logOf(30, 10)
    const standby = { settled: 15 }
    server.before = (after) =>
      Effect.sync(() => {
        if (after === 10) server.standby = standby
      })
    const reading = positionsOf(parts)
    await until(() => server.judged.length > 0)
    expect(server.asked).toEqual([0, 10])
    standby.settled = 30
    expect(await reading).toEqual(upTo(30))
    expect(server.asked).toEqual([0, 10, 10, 20])
  })

  test("of a log that was restored to before their end are not handed out", async () => {
    const { server, parts } = logOf(30, 10)
    server.before = (after) =>
      Effect.sync(() => {
        if (after !== 10) return
        server.origin = { id: "log", epoch: 2 }
        server.rewound = new LogRewound({ position: 30, head: 5, detail: "for a test" })
      })
    const seen: Array<number> = []
    const looping = (async () => {
      for await (const { position } of Stream.toAsyncIterable(replay(parts))) seen.push(position)
    })()
    await expect(looping).rejects.toMatchObject({ reason: { _tag: "LogRewound" } })
    await until(() => seen.length > 0)
    expect(seen).toEqual(upTo(10))
  })
})
