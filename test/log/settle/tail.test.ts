import { Effect } from "effect"
import fc from "fast-check"
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest"
import { PAGE_EVENTS } from "../../../src/log/page-size.ts"
import { settledHead, Tail } from "../../../src/log/tail.ts"
import { upTo } from "../test-log.ts"
import { type Action, allRules, type Kept, SimulatedLog, typeAt } from "./simulated-log.ts"

// The tail against a log in memory, whose writers act between any two of its statements.

/** Longer than a gap is left to close by itself. */
const aWhile = 5

beforeEach(() => void vi.useFakeTimers({ toFake: ["performance", "Date"] }))
afterEach(() => void vi.useRealTimers())

const look = (tail: Tail): ReadonlyArray<number> => {
  vi.advanceTimersByTime(aWhile)
  return Effect.runSync(tail.next).events.map(({ position }) => position)
}

const drain = (tail: Tail, looks = 20): ReadonlyArray<number> => upTo(looks).flatMap(() => look(tail))

describe("the tail", () => {
  test("hands out at once what follows without a gap, and asks for no holders", () => {
    const log = new SimulatedLog()
    const tail = new Tail(log.pages, 0)
    log.append(3)
    expect(look(tail)).toEqual([1, 2, 3])
    log.append(2)
    expect(look(tail)).toEqual([4, 5])
    expect(log.holdersAsked).toBe(0)
    expect(tail.holdup).toBeUndefined()
  })

  test("gives a gap a moment to close by itself before it asks who holds", () => {
    const log = new SimulatedLog()
    const tail = new Tail(log.pages, 0)
    log.act({ kind: "begin" })
    log.act({ kind: "draw", who: 0 })
    log.append(1)
    expect(Effect.runSync(tail.next)).toMatchObject({ events: [], again: expect.any(Number) })
    expect(log.holdersAsked).toBe(0)
    log.act({ kind: "commit", who: 0 })
    expect(look(tail)).toEqual([1, 2])
    expect(log.holdersAsked).toBe(0)
  })

  test("waits at a gap for those who held, and re-reads when they are gone", () => {
    const log = new SimulatedLog()
    const tail = new Tail(log.pages, 0)
    log.append(1)
    log.act({ kind: "begin" })
    log.act({ kind: "draw", who: 0 })
    log.append(1)
    expect(drain(tail)).toEqual([1])
    expect(tail.holdup?.holders).toHaveLength(1)
    log.act({ kind: "commit", who: 0 })
    expect(drain(tail)).toEqual([2, 3])
    expect(tail.holdup).toBeUndefined()
  })

  test("passes over a gap that nobody holds", () => {
    const log = new SimulatedLog()
    const tail = new Tail(log.pages, 0)
    log.act({ kind: "begin" })
    log.act({ kind: "draw", who: 0 })
    log.act({ kind: "rollback", who: 0 })
    log.append(1)
    expect(drain(tail)).toEqual([2])
  })

  test("moves to the barrier when the re-read shows nothing more: the event it saw was dropped meanwhile", () => {
    const log = new SimulatedLog()
    const tail = new Tail(log.pages, 0)
    log.act({ kind: "begin" })
    log.act({ kind: "draw", who: 0 })
    const [seen] = log.append(1)
    expect(drain(tail)).toEqual([])
    log.act({ kind: "rollback", who: 0 })
    log.drop(seen!)
    expect(drain(tail)).toEqual([])
    expect(tail.cursor).toBe(seen)
    expect(tail.holdup).toBeUndefined()
    log.append(1)
    expect(look(tail)).toEqual([seen! + 1])
  })

  test("catches up over many pages behind one barrier", () => {
    const log = new SimulatedLog()
    const tail = new Tail(log.pages, 0)
    const events = 3 * PAGE_EVENTS
    for (const _ of upTo(events)) {
      log.append(1)
      // Every other number was rolled back: each page has gaps.
      log.act({ kind: "begin" })
      log.act({ kind: "draw", who: 0 })
      log.act({ kind: "rollback", who: 0 })
    }
    expect(drain(tail, 10)).toEqual(upTo(events).map((n) => 2 * n - 1))
    expect(log.holdersAsked).toBe(1)
  })

  test("asks ever less often for the holders while a barrier stands", () => {
    const log = new SimulatedLog()
    const tail = new Tail(log.pages, 0)
    log.act({ kind: "begin" })
    log.act({ kind: "draw", who: 0 })
    log.append(1)
    const waits: Array<number> = []
    for (let waited = 0; waited < 10_000;) {
      const { again } = Effect.runSync(tail.next)
      const wait = typeof again === "number" ? again : 0
      waits.push(wait)
      waited += wait
      vi.advanceTimersByTime(wait)
    }
    expect(log.holdersAsked).toBeLessThan(10_000 / 40)
    expect(waits.at(-1)).toBe(Math.max(...waits))
  })

  test("that forgets its barrier, as after a lost connection, begins anew without a loss", () => {
    const log = new SimulatedLog()
    const tail = new Tail(log.pages, 0)
    log.act({ kind: "begin" })
    log.act({ kind: "draw", who: 0 })
    log.append(1)
    expect(drain(tail)).toEqual([])
    tail.forgetBarrier()
    expect(tail.holdup).toBeUndefined()
    expect(drain(tail)).toEqual([])
    log.act({ kind: "commit", who: 0 })
    expect(drain(tail)).toEqual([1, 2])
  })

  test("on a standby goes by what was written down, and never by the holders, which are elsewhere", () => {
    const log = new SimulatedLog()
    const tail = new Tail(log.pages, 0, true)
    log.append(3)
    expect(drain(tail)).toEqual([])
    log.recorded = 2
    expect(drain(tail)).toEqual([1, 2])
    expect(log.holdersAsked).toBe(0)
  })
})

describe("whatever writers do between its statements,", () => {
  const action: fc.Arbitrary<Action> = fc.oneof(
    { weight: 3, arbitrary: fc.constant<Action>({ kind: "begin" }) },
    { weight: 6, arbitrary: fc.nat(7).map((who): Action => ({ kind: "draw", who })) },
    {
      weight: 6,
      arbitrary: fc.record({
        kind: fc.constantFrom("commit" as const, "commit" as const, "rollback" as const, "prepare" as const),
        who: fc.nat(7)
      })
    }
  )

  /** Bursts of actions: one between any two statements of the reader. */
  const delivery = (kept: Kept) =>
    fc.property(fc.array(fc.array(action, { maxLength: 5 }), { maxLength: 40 }), (bursts) => {
      const log = new SimulatedLog(kept)
      const tail = new Tail(log.pages, 0)
      const left = [...bursts]
      log.onStatement(() => left.shift()?.forEach((one) => log.act(one)))
      const delivered: Array<number> = []
      while (left.length > 0) delivered.push(...look(tail))
      log.endAll()
      delivered.push(...drain(tail))
      expect(delivered).toEqual(log.committed.toSorted((a, b) => a - b))
    })

  test("the tail hands out every committed event once, in order", () => {
    fc.assert(delivery(allRules), { numRuns: 3_000 })
  })

  test("the tail that is narrowed to a type, always or now and then, hands out every event of it once, in order", () => {
    fc.assert(
      fc.property(
        fc.array(fc.array(action, { maxLength: 5 }), { maxLength: 40 }),
        fc.infiniteStream(fc.boolean()),
        (bursts, narrow) => {
          const log = new SimulatedLog()
          const tail = new Tail(log.pages, 0)
          const left = [...bursts]
          log.onStatement(() => left.shift()?.forEach((one) => log.act(one)))
          const delivered: Array<number> = []
          const lookOnce = () => {
            tail.narrow(narrow.next().value ? ["Rare"] : undefined)
            delivered.push(...look(tail))
          }
          while (left.length > 0) lookOnce()
          log.endAll()
          tail.narrow(["Rare"])
          delivered.push(...drain(tail))
          const rare = (positions: ReadonlyArray<number>) => positions.filter((one) => typeAt(one) === "Rare")
          expect(delivered).toEqual(delivered.toSorted((a, b) => a - b))
          expect(rare(delivered)).toEqual(rare(log.committed.toSorted((a, b) => a - b)))
        }
      ),
      { numRuns: 1_000 }
    )
  })

  // The same check finds a missed event as soon as a rule is taken out: it can fail.
  test.each<readonly [string, Partial<Kept>]>([
    ["S1: a writer draws before it locks", { lockFirst: false }],
    ["S2: sessions take numbers in advance", { cache: 3 }]
  ])("but not without rule %s", (_, broken) => {
    expect(fc.check(delivery({ ...allRules, ...broken }), { numRuns: 3_000 }).failed).toBe(true)
  })
})

describe("from now", () => {
  const head = (log: SimulatedLog, standby = false) => Effect.runSync(settledHead(log.pages, standby))

  test("begins at the highest position where nobody holds", () => {
    const log = new SimulatedLog()
    log.append(3)
    expect(head(log)).toBe(3)
  })

  test("never begins below what was written down, though the events up to there have been dropped", () => {
    const log = new SimulatedLog()
    log.append(3)
    log.recorded = 3
    for (const position of [3, 2]) log.drop(position)
    expect(head(log)).toBe(3)
  })

  test("begins on a standby where it was written down", () => {
    const log = new SimulatedLog()
    log.append(3)
    log.recorded = 2
    expect(head(log, true)).toBe(2)
  })
})
