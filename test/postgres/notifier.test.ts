import { Effect, Exit, Scope } from "effect"
import pg from "pg"
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest"
import { type Notifier, notifier } from "../../src/postgres/notifier.ts"
import { testDatabase } from "../support/database.ts"
import { until } from "../support/eventually.ts"

const CHANNEL = "tidemark_notified"
const MANY = 1_000
const LONGER_THAN_A_GAP_MS = 50

const db = testDatabase()
const scope = Scope.makeUnsafe()
const heard: Array<number> = []
let listener: pg.Client
let sender: Notifier

/** Sends something else, over the same connection, for so long. */
const roundTrips = async (ms: number): Promise<void> => {
  const end = performance.now() + ms
  while (performance.now() < end) await Effect.runPromise(sender.send("else"))
}

const whenHeard = (position: number): Promise<true> =>
  until(() => heard.includes(position), { within: 2_000, what: `position ${position} to be told` })

describe("what tells the other processes where to look", () => {
  beforeAll(async () => {
    listener = new pg.Client({ connectionString: db.url })
    await listener.connect()
    await listener.query(`listen ${CHANNEL}`)
    listener.on("notification", ({ payload }) => {
      if (payload !== "else") heard.push(Number(payload))
    })
    sender = await Effect.runPromise(Scope.provide(notifier({ connectionString: db.url }, CHANNEL), scope))
  })
  afterAll(async () => {
    await listener.end()
    await Effect.runPromise(Scope.close(scope, Exit.void))
  })

  it("makes one NOTIFY of many that come at once, with the highest position", async () => {
    heard.length = 0
    for (let position = 1; position <= MANY; position++) sender.touch(position === 7 ? MANY : position)
    await whenHeard(MANY)
    expect(heard.length).toBeLessThanOrEqual(2)
  })

  it("says nothing of what another process has told already, and goes on with what comes after it", async () => {
    heard.length = 0
    sender.heard(MANY + 1)
    sender.touch(MANY + 2)
    sender.heard(MANY + 3)
    await roundTrips(LONGER_THAN_A_GAP_MS)
    sender.touch(MANY + 4)
    await whenHeard(MANY + 4)
    expect(heard).toEqual([MANY + 4])
  })

  it("tells of a higher position than another process has told", async () => {
    heard.length = 0
    sender.heard(MANY + 5)
    sender.touch(MANY + 7)
    sender.heard(MANY + 6)
    await whenHeard(MANY + 7)
    expect(heard).toEqual([MANY + 7])
  })

  it("is not held up by what others say of positions that were told long ago", async () => {
    const query = vi.spyOn(pg.Pool.prototype, "query").mockImplementation(() => undefined)
    vi.useFakeTimers({ toFake: ["setTimeout", "performance"] })
    try {
      const own = await Effect.runPromise(
        Scope.provide(notifier({ connectionString: db.url }, CHANNEL), scope)
      )
      own.heard(1)
      own.touch(MANY + 8)
      for (let ms = 0; ms < LONGER_THAN_A_GAP_MS; ms++) {
        own.heard(1)
        await vi.advanceTimersByTimeAsync(1)
      }
      const told = query.mock.calls.map(([asked]) => (asked as unknown as pg.QueryConfig).values?.[1])
      expect(told).toEqual([String(MANY + 8)])
    } finally {
      vi.useRealTimers()
      query.mockRestore()
    }
  })

  it("says what waits for its moment before it ends", async () => {
    const own = Scope.makeUnsafe()
    const brief = await Effect.runPromise(Scope.provide(notifier({ connectionString: db.url }, CHANNEL), own))
    brief.touch(MANY + 9)
    await whenHeard(MANY + 9)
    brief.touch(MANY + 10)
    brief.touch(MANY + 11)
    await Effect.runPromise(Scope.close(own, Exit.void))
    await whenHeard(MANY + 11)
  })
})
