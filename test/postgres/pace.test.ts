import fc from "fast-check"
import { expect, test } from "vitest"
import { Pace, REMEMBERED } from "../../src/postgres/pace.ts"

const told = (answers: ReadonlyArray<readonly [ms: number, failed: boolean]>) => {
  const pace = new Pace()
  for (const [ms, failed] of answers) pace.note(ms, failed)
  return pace.answers()
}

test("nothing is told of no statement", () => {
  expect(told([])).toEqual({
    statements: 0,
    failed: 0,
    p50Ms: undefined,
    p95Ms: undefined,
    p99Ms: undefined
  })
})

test("as many percent of the last thousand were as fast as it says, or faster", () => {
  const answer = fc.tuple(fc.double({ min: 0, max: 1e6, noNaN: true }), fc.boolean())
  fc.assert(
    fc.property(fc.array(answer, { minLength: 1, maxLength: 3 * REMEMBERED }), (answers) => {
      const last = answers.slice(-REMEMBERED)
      const { statements, failed, p50Ms, p95Ms, p99Ms } = told(answers)
      expect(statements).toBe(last.length)
      expect(failed).toBe(last.filter(([, one]) => one).length)
      for (const [share, ms] of [
        [0.5, p50Ms],
        [0.95, p95Ms],
        [0.99, p99Ms]
      ] as const) {
        const within = last.filter(([one]) => one <= ms!).length
        const below = last.filter(([one]) => one < ms!).length
        expect(within / last.length).toBeGreaterThanOrEqual(share)
        expect(below / last.length).toBeLessThan(share)
      }
    })
  )
})
