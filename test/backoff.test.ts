import fc from "fast-check"
import { afterEach, describe, expect, test, vi } from "vitest"
import { backoffMs } from "../src/base/backoff.ts"

/** The law: doubling from 20 ms up to 2 s, of which half is certain and half is chance. */
const mostMs = (failures: number): number => Math.min(2_000, 20 * 2 ** failures)

/** Far beyond the point where doubling leaves the numbers that a double holds. */
const failures = fc.oneof(fc.nat(12), fc.nat(5_000))

/** What Math.random gives: from 0, below 1. */
const chance = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true })

afterEach(() => vi.restoreAllMocks())

const withChance = (drawn: number, failed: number): number => {
  vi.spyOn(Math, "random").mockReturnValue(drawn)
  return backoffMs(failed)
}

describe("the wait between two tries", () => {
  test("lies between half of its bound and its bound, after however many failures", () => {
    fc.assert(
      fc.property(failures, chance, (failed, drawn) => {
        const waited = withChance(drawn, failed)
        expect(waited).toBeGreaterThanOrEqual(mostMs(failed) / 2)
        expect(waited).toBeLessThanOrEqual(mostMs(failed))
      })
    )
  })

  test("is spread evenly: it grows with the chance that is drawn, by the same measure everywhere", () => {
    fc.assert(
      fc.property(failures, chance, (failed, drawn) => {
        const share = withChance(drawn, failed) / mostMs(failed)
        expect(share).toBeCloseTo(0.5 + drawn / 2, 9)
      })
    )
  })

  test("never shrinks with one failure more, where the chance is the same", () => {
    fc.assert(
      fc.property(failures, chance, (failed, drawn) => {
        expect(withChance(drawn, failed + 1)).toBeGreaterThanOrEqual(withChance(drawn, failed))
      })
    )
  })

  test("differs from client to client", () => {
    const drawn = new Set(Array.from({ length: 20 }, () => backoffMs(3)))
    expect(drawn.size).toBeGreaterThan(1)
  })
})
