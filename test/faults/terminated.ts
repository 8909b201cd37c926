import { setTimeout as pause } from "node:timers/promises"
import { expect } from "vitest"
import type { Engine, OpenOptions } from "../../src/index.ts"
import { History } from "../support/history.ts"
import { random } from "../support/random.ts"
import { type Kind, terminateOne } from "./backends.ts"
import { startLoad } from "./load.ts"
import { hearing, named, readToEnd, startReader, wholeLog } from "./scene.ts"

export type TerminatedOptions = {
  readonly seed: number
  readonly database: string
  readonly open: (options: OpenOptions) => Promise<Engine>
  /** How many connections of each kind are ended. */
  readonly each: number
  readonly kinds: ReadonlyArray<Kind>
}

const longestPeaceMs = 60

/** An administrator ends connections of two engines under load: of the one that writes, and of the one that reads. */
export const terminated = async ({ seed, database, open, each, kinds }: TerminatedOptions) => {
  const choices = random(seed)
  const history = new History()
  const writer = await open({ database: named(database, "writes") })
  const readingEngine = await open({ database: named(database, "reads") })
  await hearing(readingEngine)
  const readers = [
    await startReader(readingEngine, history, "in the other engine"),
    await startReader(writer, history, "in the writing engine")
  ]
  await using load = startLoad(writer, history, { random: random(seed + 1), callers: 12, streams: 20 })
  await load.reaches(20)
  for (let round = 0; round < each; round += 1) {
    for (const kind of kinds) {
      const whose = kind === "feed" || kind === "listener" ? choices.oneOf(["reads", "writes"]) : "writes"
      await terminateOne(database, whose, kind, choices.oneOf)
      await pause(choices.between(0, longestPeaceMs))
      await load.reaches(load.acknowledged + 5)
    }
  }
  await load.stop()
  await readToEnd(writer, history, ...readers)
  await Promise.all([hearing(writer), hearing(readingEngine)])
  expect(history.violations(await wholeLog(database))).toEqual([])
}
