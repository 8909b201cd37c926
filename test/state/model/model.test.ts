import { describe, expect, test } from "vitest"
import type { Event } from "../../../src/index.ts"
import { testLog } from "../../log/test-log.ts"
import { random, seedFor } from "../../support/random.ts"
import { liveRows, rowsFoldedBy } from "./cuts.ts"
import type { Scene } from "./scene.ts"
import { checkAll, outcomesOf, tried } from "./trial.ts"

const log = testLog()

describe("random programs on states come to what a model of them has,", () => {
  const seed = seedFor("states against their model")
  let scenes: ReadonlyArray<Scene> = []

  test(
    "as two engines and one that knew nothing read it, now and at every version",
    { timeout: 120_000 },
    async () => {
      scenes = await tried(log, {
        seed,
        programs: Number(process.env["TIDEMARK_TEST_PROGRAMS"] ?? 4),
        length: 60
      })
    }
  )

  test("and do most of what can be done", () => {
    expect(outcomesOf(scenes).size).toBeGreaterThan(30)
  })

  test("wherever the batches are cut that the log is folded in", { timeout: 120_000 }, async () => {
    const events: Array<Event> = []
    for await (const event of log.engine.replay({})) events.push(event)
    const live = await liveRows(log.db)
    const { between } = random(seed)
    for (const sizes of [[1], [events.length], Array.from({ length: 50 }, () => between(1, 20))])
      expect(await rowsFoldedBy(log.db, events, "cut", sizes)).toEqual(live)
  })

  test("also when all is folded anew", { timeout: 120_000 }, async () => {
    const report = await log.engine.rebuild("states", { verify: true })
    expect(report.verified!.tables.filter(({ different }) => different > 0)).toEqual([])
    const cold = await log.open()
    for (const scene of scenes) await checkAll(log, cold, scene, seed)
  })
})
