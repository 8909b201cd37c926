import fc from "fast-check"
import { describe, expect, test } from "vitest"
import { Barrier } from "../../../src/log/barrier.ts"
import type { Holder } from "../../../src/log/page.ts"

// Rules S3, S8 (the names of holders) and C2: whom a reader waits for at a gap, and for whom it does not.

const PREPARED = "-1/"

const holders = (...names: ReadonlyArray<string>): ReadonlyArray<Holder> =>
  names.map((holder) => ({ holder, pid: holder.startsWith(PREPARED) ? null : Number(holder.split("/")[0]) }))

/** What each look says, one after the other. */
const looks = (first: ReadonlyArray<string>, ...later: ReadonlyArray<ReadonlyArray<string>>) => {
  const barrier = new Barrier(7, holders(...first))
  return [first, ...later].map((names) => barrier.isPassed(holders(...names)))
}

describe("a barrier", () => {
  test("where nobody holds is passed at once", () => {
    expect(looks([])).toEqual([true])
  })

  test("is passed when nobody is left of those who held when it was raised", () => {
    expect(looks(["3/5", "4/9"], ["4/9"], [])).toEqual([false, false, true])
  })

  test("does not wait for who came later", () => {
    expect(looks(["3/5"], ["3/5", "6/1"], ["6/1", "7/1"])).toEqual([false, false, true])
  })

  test("does not take another transaction for the one that it waits for", () => {
    expect(looks(["3/5"], ["3/6"])).toEqual([false, true])
    expect(looks(["3/5"], ["13/5", "3/51", "5/3"])).toEqual([false, true])
  })

  test("waits for a transaction that was prepared when it was raised", () => {
    expect(looks(["-1/700"], ["-1/700"], [])).toEqual([false, false, true])
  })

  test("waits for a transaction that is prepared meanwhile, whose name changes", () => {
    expect(looks(["3/5"], ["-1/700"], ["-1/700"], [])).toEqual([false, false, false, true])
  })

  test("waits for those who are prepared by then, not for those who are prepared later", () => {
    expect(looks(["3/5"], ["-1/700", "-1/701"], ["-1/701", "-1/702"], ["-1/702"])).toEqual([
      false,
      false,
      false,
      true
    ])
  })

  test("waits on while a backend in the second phase of its commit is listed without a number", () => {
    expect(looks(["3/5"], ["3/0"], ["4/0"])).toEqual([false, false, true])
  })

  test("says who is waited for now, with the backend where there is one", () => {
    const barrier = new Barrier(7, holders("3/5", "4/9", "-1/700"))
    expect(barrier.heldBy(holders("3/0", "6/1", "-1/700"))).toEqual([
      { holder: "3/0", pid: 3 },
      { holder: "-1/700", pid: null }
    ])
  })
})

/** A transaction that holds the log's lock, as pg_locks shows it. */
interface Holding {
  readonly backend: number
  readonly number: number
  state: "open" | "prepared" | "committing" | "ended"
}

const listed = (all: ReadonlyArray<Holding>) =>
  holders(
    ...all.flatMap(({ backend, number, state }) => {
      if (state === "open") return [`${backend}/${number}`]
      if (state === "prepared") return [`${PREPARED}${number}`]
      return state === "committing" ? [`${backend}/0`] : []
    })
  )

const next: Readonly<Record<Holding["state"], ReadonlyArray<Holding["state"]>>> = {
  open: ["prepared", "committing", "ended"],
  prepared: ["ended"],
  committing: ["ended"],
  ended: ["ended"]
}

test("whatever transactions do, a barrier is passed only when all who held have ended, and then soon", () => {
  const step = fc.oneof(
    fc.record({ begin: fc.integer({ min: 1, max: 3 }) }),
    fc.record({ move: fc.nat(5), how: fc.nat(2) }),
    fc.constant("look" as const)
  )
  const steps = fc.array(step, { maxLength: 40 })
  fc.assert(
    fc.property(fc.array(step, { maxLength: 10 }), steps, (before, after) => {
      const all: Array<Holding> = []
      const act = (one: { begin: number } | { move: number; how: number }) => {
        if ("begin" in one) {
          // A backend has one transaction; a prepared one is no longer its own.
          const busy = all.some(
            ({ backend, state }) => backend === one.begin && (state === "open" || state === "committing")
          )
          if (!busy) all.push({ backend: one.begin, number: all.length + 1, state: "open" })
          return
        }
        const living = all.filter(({ state }) => state !== "ended")
        const moved = living[one.move % Math.max(1, living.length)]
        if (moved !== undefined) moved.state = next[moved.state][one.how % next[moved.state].length]!
      }
      for (const one of before) if (one !== "look") act(one)
      const barrier = new Barrier(7, listed(all))
      const held = all.filter(({ state }) => state !== "ended")
      let passed = barrier.isPassed(listed(all))
      const check = () => {
        if (passed) expect(held.every(({ state }) => state === "ended")).toBe(true)
      }
      check()
      for (const one of after) {
        if (passed) return
        if (one === "look") passed = barrier.isPassed(listed(all))
        else act(one)
        check()
      }
      // When they have ended, and those who are prepared by then, it is passed whoever came later: at the second look.
      const end = (which: (one: Holding) => boolean) =>
        all.filter(which).forEach((one) => (one.state = "ended"))
      end((one) => held.includes(one) || one.state === "committing")
      passed ||= barrier.isPassed(listed(all))
      end(({ state }) => state === "prepared")
      expect(passed || barrier.isPassed(listed(all))).toBe(true)
    }),
    { numRuns: 3_000 }
  )
})
