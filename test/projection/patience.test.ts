import { Effect, Result } from "effect"
import { expect, test } from "vitest"
import type { Feed } from "../../src/log/feed.ts"
import { reach } from "../../src/projection/catch-up.ts"
import { Progress } from "../../src/projection/progress.ts"
import type { Runner } from "../../src/projection/runner.ts"

// How long is waited for a projection that goes on, and for one that does not.

const quiet = { status: () => undefined } as unknown as Feed["Service"]

/** A projection that is one position further after each step. */
const stepping = (everyMs: number, steps: number) => {
  const progress = new Progress()
  const runner = {
    name: "slow",
    progress,
    hurry: () => undefined,
    status: () => ({ lag: { atMost: 1, isCount: true }, follows: false })
  } as unknown as Runner
  const timer = setInterval(() => {
    if (progress.position < steps) progress.reach(progress.position + 1)
  }, everyMs)
  return { runner, [Symbol.dispose]: () => clearInterval(timer) }
}

const waitingFor = async (runner: Runner, position: number, stalledMs: number, mostMs: number) => {
  const waited = await Effect.runPromise(Effect.result(reach(runner, quiet, position, { stalledMs, mostMs })))
  return Result.isFailure(waited) ? waited.failure.reason : "there"
}

test("a projection that goes on is waited for, though it takes longer than one may stand still", async () => {
  using slow = stepping(100, 8)
  expect(await waitingFor(slow.runner, 8, 400, 60_000)).toBe("there")
})

test("one that stands still is not", async () => {
  using slow = stepping(20, 3)
  expect(await waitingFor(slow.runner, 8, 200, 60_000)).toMatchObject({
    _tag: "ProjectionBehind",
    position: 8,
    reached: 3
  })
})

test("nor one that goes on for longer than there is time", async () => {
  using slow = stepping(50, 1_000_000)
  expect(await waitingFor(slow.runner, 1_000_000, 300, 700)).toMatchObject({
    _tag: "ProjectionBehind",
    waitedMs: 700
  })
})
