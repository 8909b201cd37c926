import { fork } from "node:child_process"
import { once } from "node:events"
import type { Engine } from "../../../dist/src/index.js"
import type { EngineState } from "../../../dist/src/state.js"
import type { Bench, Measure } from "../bench.ts"
import { TIDEMARK } from "../contenders.ts"
import { answer } from "../entrant.ts"
import { figure } from "../figure.ts"
import { pace } from "../jobs/pace.ts"
import { median, quantile } from "../quantile.ts"
import { folded, SMALL, valuesOf } from "../states/contents.ts"
import { Ages, PATHS, reach } from "../states/watched.ts"
import type { Store } from "../store.ts"
import { engineAt } from "../tidemark.ts"

type Heard = ReadonlyArray<number>

/** States that are updated in turn, each at its own watch. */
interface Watched {
  readonly engine: Engine
  readonly states: ReadonlyArray<EngineState>
  readonly perSecond: number
  /** The ages of so many changes, once the watches have heard of them. */
  readonly heard: (due: number) => Promise<Heard>
}

/** So many agents, whose states are on a log of their own. */
const withAgents = async <R>(
  bench: Bench,
  count: number,
  use: (engine: Engine, states: ReadonlyArray<EngineState>, database: string) => Promise<R>
): Promise<R> => {
  const database = await bench.server.createDatabase(TIDEMARK)
  const engine = await engineAt(database)
  try {
    const states = Array.from({ length: count }, (_, at) => engine.state(`agent-${1 + at}`))
    await Promise.all(states.map((state) => state.update({ shared: valuesOf(SMALL) })))
    await folded(engine)
    await bench.server.vacuum(database)
    return await use(engine, states, database)
  } finally {
    await engine.close()
    await bench.server.dropDatabase(database)
  }
}

const WARM_UP_MS = 1000

/** Updates at a steady pace, and waits until all of them are heard of; turn by turn, after one that is not counted. */
const turns = async (
  bench: Bench,
  { engine, states, perSecond, heard }: Watched
): Promise<ReadonlyArray<Heard>> => {
  // No stream has to wait for the append before: a state takes several updates at once.
  const store: Pick<Store, "append"> = {
    append: (_, [step]) => reach(states[step!.step % states.length]!, step!)
  }
  const turn = async (milliseconds: number): Promise<Heard> =>
    heard(await pace(store, { perSecond, milliseconds, streams: 1 }))
  await turn(WARM_UP_MS)
  const found: Array<Heard> = []
  for (let round = 1; round <= bench.rounds; round += 1) {
    bench.note(`  round ${round} of ${bench.rounds}`)
    // What was written before is folded before the next turn, which would pay for it.
    await folded(engine)
    await bench.server.checkpoint()
    found.push(await turn(bench.turn))
  }
  return found
}

const over = (turns: ReadonlyArray<Heard>, share: number): number =>
  median(turns.map((ages) => quantile(ages, share)))

/** A process that watches the state of an agent. */
const watcher = async (database: string, agent: string) => {
  const child = fork(new URL("../watcher-process.js", import.meta.url), [database, agent], {
    // stdout is for figures only.
    stdio: ["ignore", 2, 2, "ipc"]
  })
  await answer(child)
  return {
    async heard(due: number): Promise<Heard> {
      const found = answer(child)
      child.send(due)
      return (await found) as Heard
    },
    async close(): Promise<void> {
      if (!child.connected) return
      const exit = once(child, "exit")
      child.disconnect()
      await exit
    }
  }
}

const OF_ONE_PER_SECOND = 200

/** From the call of update to the callback in another process. */
export const watchLatency: Measure = {
  figures: ["watch.latency.p50", "watch.latency.p99"],
  run: (bench) =>
    withAgents(bench, 1, async (engine, states, database) => {
      const { heard, close } = await watcher(database, states[0]!.agent)
      try {
        const found = await turns(bench, { engine, states, perSecond: OF_ONE_PER_SECOND, heard })
        return [
          figure("watch.latency.p50", "ms", over(found, 0.5)),
          figure("watch.latency.p99", "ms", over(found, 0.99))
        ]
      } finally {
        await close()
      }
    })
}

const WATCHES = 1000

// In the warm-up each watch hears of one change: at its first one it loads the branch.
const OF_ALL_PER_SECOND = 1000

/** As many watches in the process that updates, each of an agent of its own. */
export const watch1000: Measure = {
  figures: ["watch.1000.p50"],
  run: (bench) =>
    withAgents(bench, WATCHES, async (engine, states) => {
      const ages = new Ages()
      for (const state of states) await state.watch(PATHS, ages.hear)
      const heard = (due: number): Promise<Heard> => ages.taken(due)
      const found = await turns(bench, { engine, states, perSecond: OF_ALL_PER_SECOND, heard })
      return [figure("watch.1000.p50", "ms", over(found, 0.5))]
    })
}
