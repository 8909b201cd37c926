import { expect, test } from "vitest"
import type { Event } from "../../src/index.ts"
import { testLog } from "../log/test-log.ts"
import { liveRows, rowsFoldedBy } from "../state/model/cuts.ts"
import { outcomesOf, tried } from "../state/model/trial.ts"
import { random, seedFor } from "../support/random.ts"

const log = testLog()

test(
  "long programs on states come to what a model has, and their log to the same in any batches",
  { timeout: 3_600_000 },
  async () => {
    const seed = seedFor("states, soak")
    const scenes = await tried(log, {
      seed,
      programs: Number(process.env["TIDEMARK_TEST_PROGRAMS"] ?? 100),
      length: 200
    })
    console.info(
      [...outcomesOf(scenes)]
        .toSorted()
        .map(([what, count]) => `${what} ${count}`)
        .join("\n")
    )
    const events: Array<Event> = []
    for await (const event of log.engine.replay({})) events.push(event)
    const live = await liveRows(log.db)
    const { between } = random(seed)
    for (let most = 2; most < events.length; most *= 4) {
      const sizes = Array.from({ length: 100 }, () => between(1, most))
      expect(await rowsFoldedBy(log.db, events, "cut", sizes)).toEqual(live)
    }
    await log.engine.rebuild("states", { verify: true })
  }
)
