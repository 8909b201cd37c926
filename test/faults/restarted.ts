import { expect } from "vitest"
import type { Engine, OpenOptions } from "../../src/index.ts"
import type { Cluster } from "../support/cluster.ts"
import { History } from "../support/history.ts"
import { random } from "../support/random.ts"
import { startLoad } from "./load.ts"
import { hearing, readToEnd, startReader, wholeLog } from "./scene.ts"

export type RestartedOptions = {
  readonly seed: number
  readonly server: Cluster
  readonly open: (options: OpenOptions) => Promise<Engine>
  readonly crashes: number
  /** How many emits are acknowledged between two crashes, at most. */
  readonly longestPeace: number
}

/** How long so many emits may take between two crashes, in ms: a machine that others work on as well is slow. */
const WITHIN_MS = 60_000

/** The server crashes and recovers under load, again and again; the engines are left alone. */
export const restarted = async ({ seed, server, open, crashes, longestPeace }: RestartedOptions) => {
  const { between } = random(seed)
  const history = new History()
  const writer = await open({ database: server.url })
  const readingEngine = await open({ database: server.url })
  const reader = await startReader(readingEngine, history)
  await using load = startLoad(writer, history, { random: random(seed + 1), callers: 12, streams: 20 })
  for (let crash = 0; crash < crashes; crash += 1) {
    await load.reaches(load.acknowledged + between(50, longestPeace), WITHIN_MS)
    await server.restart("immediate")
  }
  await load.reaches(load.acknowledged + 50, WITHIN_MS)
  await load.stop()
  await readToEnd(writer, history, reader)
  await hearing(readingEngine)
  expect(history.violations(await wholeLog(server.url))).toEqual([])
}
