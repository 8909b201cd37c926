import { Effect } from "effect"
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest"
import { Tail } from "../../../src/log/tail.ts"
import { collector, inTime } from "../../support/eventually.ts"
import { testLog, upTo } from "../test-log.ts"
import { SimulatedLog } from "./simulated-log.ts"

// Numbers that rolled-back appends have drawn: no event will ever have them.

const ROLLED_BACK = 1_000

const rollBack = (log: SimulatedLog, count: number) => {
  for (const _ of upTo(count)) {
    log.act({ kind: "begin" })
    log.act({ kind: "draw", who: 0 })
    log.act({ kind: "rollback", who: 0 })
  }
}

describe("a field of dead gaps (many rolled-back appends) is cleared by one skip", () => {
  beforeEach(() => void vi.useFakeTimers({ toFake: ["performance", "Date"] }))
  afterEach(() => void vi.useRealTimers())

  const look = (tail: Tail): ReadonlyArray<number> => {
    vi.advanceTimersByTime(5)
    return Effect.runSync(tail.next).events.map(({ position }) => position)
  }

  /** One to see the gap, one to ask who holds, one to read behind it. */
  const LOOKS = 3

  test.each([
    ["reads everything", undefined],
    ["reads one type only", ["Common"]]
  ])("by a tail that %s, where it is one wide gap", (_, types) => {
    const log = new SimulatedLog()
    const tail = new Tail(log.pages, 0)
    tail.narrow(types)
    rollBack(log, ROLLED_BACK)
    log.append(1)
    expect(upTo(LOOKS).flatMap(() => look(tail))).toEqual([ROLLED_BACK + 1])
    expect(log.holdersAsked).toBe(1)
  })

  test("where events lie between the gaps", () => {
    const log = new SimulatedLog()
    const tail = new Tail(log.pages, 0)
    for (const _ of upTo(100)) {
      rollBack(log, 9)
      log.append(1)
    }
    expect(upTo(LOOKS).flatMap(() => look(tail))).toEqual(upTo(100).map((n) => 10 * n))
    expect(log.holdersAsked).toBe(1)
  })
})

describe("on a server", () => {
  const log = testLog()

  test("many rolled-back appends hold up nobody, neither a subscriber nor read_log()", async () => {
    const [row] = await log.db.query<{ at: string }>("select tidemark.settle() as at")
    const heard = collector<string>()
    const subscription = await log.engine.subscribe({}, ({ type }) => heard.push(type))
    const session = await log.session()
    for (const _ of upTo(100))
      await session.query(`begin; select append_events('order-1', '[{"type": "Never"}]'); rollback`)
    await log.engine.emit("order-2", { type: "After" })
    expect(await inTime(heard.reaches(1), { within: 2_000 })).toEqual(["After"])
    await subscription.stop()
    expect(await log.db.query("select type from tidemark.read_log($1, 10, '0 seconds')", [row!.at])).toEqual([
      { type: "After" }
    ])
  })
})

describe("T1: a read-only transaction", () => {
  const log = testLog()

  test.each(["read committed", "repeatable read", "serializable"])(
    "in %s, which has read the log and stays open, holds up neither delivery nor read_log(), not even at a gap",
    async (level) => {
      const stream = log.stream()
      await log.engine.emit(stream, { type: "Before" })
      const [row] = await log.db.query<{ at: string }>("select tidemark.settle() as at")
      const reader = await log.session()
      await reader.query(`begin isolation level ${level} read only`)
      const seen = "select type from log_events where stream = $1"
      expect(await reader.query(seen, [stream])).toEqual([{ type: "Before" }])
      const heard = collector<string>()
      const subscription = await log.engine.subscribe({}, ({ type }) => heard.push(type))
      await log.engine.emit(stream, { type: "A" })
      const rolledBack = await log.session()
      await rolledBack.query(`begin; select append_events('order-0', '[{"type": "Never"}]'); rollback`)
      await log.engine.emit(stream, { type: "B" })
      expect(await inTime(heard.reaches(2), { within: 2_000 })).toEqual(["A", "B"])
      expect(
        await log.db.query("select type from tidemark.read_log($1, 10, '0 seconds')", [row!.at])
      ).toEqual([{ type: "A" }, { type: "B" }])
      // It was open all the while, and where its snapshot does not move it still sees what it saw.
      if (level !== "read committed") expect(await reader.query(seen, [stream])).toEqual([{ type: "Before" }])
      await reader.query("commit")
      await subscription.stop()
    }
  )
})
