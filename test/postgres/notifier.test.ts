import { Effect, Exit, Scope } from "effect"
import pg from "pg"
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest"
import { NOTIFY_BURST, type Notifier, notifier } from "../../src/postgres/notifier.ts"
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

/** Others have told so much, up to a position, that the next has to wait for its moment. */
const othersTell = (own: Notifier, position: number): void => {
  for (let before = NOTIFY_BURST; before >= 0; before--) own.heard(position - before / (NOTIFY_BURST + 1))
}

/** Nothing is sent, and time stands still; tells what would have been sent. */
const unsent = () => {
  const query = vi.spyOn(pg.Pool.prototype, "query").mockImplementation(() => undefined)
  vi.useFakeTimers({ toFake: ["setTimeout", "performance"] })
  return {
    told: () => query.mock.calls.map(([asked]) => (asked as unknown as pg.QueryConfig).values?.[1]),
    end: () => {
      vi.useRealTimers()
      query.mockRestore()
    }
  }
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
    othersTell(sender, MANY + 1)
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

  it("sends some one after the other without a pause, and then waits for its moment", async () => {
    const { told, end } = unsent()
    try {
      const own = await Effect.runPromise(
        Scope.provide(notifier({ connectionString: db.url }, CHANNEL), scope)
      )
      for (let nth = 1; nth <= NOTIFY_BURST + 1; nth++) {
        own.touch(nth)
        await vi.advanceTimersByTimeAsync(0)
      }
      expect(told()).toEqual(Array.from({ length: NOTIFY_BURST }, (_, at) => String(at + 1)))
      await vi.advanceTimersByTimeAsync(LONGER_THAN_A_GAP_MS)
      expect(told().at(-1)).toBe(String(NOTIFY_BURST + 1))
    } finally {
      end()
    }
  })

  it("is not held up by what others say of positions that were told long ago", async () => {
    const { told, end } = unsent()
    try {
      const own = await Effect.runPromise(
        Scope.provide(notifier({ connectionString: db.url }, CHANNEL), scope)
      )
      othersTell(own, 1)
      own.touch(MANY + 8)
      for (let ms = 0; ms < LONGER_THAN_A_GAP_MS; ms++) {
        own.heard(1)
        await vi.advanceTimersByTimeAsync(1)
      }
      expect(told()).toEqual([String(MANY + 8)])
    } finally {
      end()
    }
  })

  it("says what waits for its moment before it ends", async () => {
    const own = Scope.makeUnsafe()
    const brief = await Effect.runPromise(Scope.provide(notifier({ connectionString: db.url }, CHANNEL), own))
    brief.touch(MANY + 9)
    await whenHeard(MANY + 9)
    othersTell(brief, MANY + 10)
    brief.touch(MANY + 11)
    await Effect.runPromise(Scope.close(own, Exit.void))
    await whenHeard(MANY + 11)
  })
})
