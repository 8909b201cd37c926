import { Effect } from "effect"
import { afterEach, expect, it, vi } from "vitest"
import type { Build, RebuildParts } from "../../../src/projection/rebuild/build.ts"
import { catchUp } from "../../../src/projection/rebuild/catch-up.ts"
import { Pace } from "../../../src/projection/rebuild/pace.ts"

/** More rounds than this, a rebuild does not take to catch up. */
const MOST_ROUNDS = 50

/** How long a round takes in these tests, in ms. */
const SLOW_MS = 1_000
const QUICK_MS = 10

afterEach(() => vi.restoreAllMocks())

/** Catches up with a log that grows all the time, in rounds that take as long as said; returns up to where each went. */
const rounds = async (tookMs: (round: number) => number): Promise<ReadonlyArray<number>> => {
  let now = 0
  vi.spyOn(performance, "now").mockImplementation(() => now)
  let settled = 0
  const feed = { settled: Effect.sync(() => (settled += 10)) }
  const build = { name: "behind", pace: new Pace("behind", () => undefined) }
  const filled: Array<number> = []
  const fill = (upTo: number) =>
    Effect.sync(() => {
      now += tookMs(filled.length)
      filled.push(upTo)
    })
  await Effect.runPromise(
    catchUp({ feed } as unknown as RebuildParts, build as unknown as Build, { fill }, false)
  )
  return filled
}

it("a rebuild that never gets near the end of the log stops trying to, and leaves the rest to the swap", async () => {
  const filled = await rounds(() => SLOW_MS)
  expect(filled).toHaveLength(MOST_ROUNDS)
  expect(filled.at(-1)).toBe(10 * MOST_ROUNDS)
})

it("a rebuild has caught up once next to nothing comes while it folds", async () => {
  expect(await rounds((round) => (round < 3 ? SLOW_MS : QUICK_MS))).toEqual([10, 20, 30, 40])
})
