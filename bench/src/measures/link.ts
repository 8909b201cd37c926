import type { Engine } from "../../../dist/src/index.js"
import type { EngineState } from "../../../dist/src/state.js"
import type { Bench, Measure } from "../bench.ts"
import { TIDEMARK } from "../contenders.ts"
import { figure } from "../figure.ts"
import { median, quantile } from "../quantile.ts"
import { folded, valueOf } from "../states/contents.ts"
import { engineAt } from "../tidemark.ts"

/** How many agents share a key, and how large it is. */
const AGENTS = 100
const BYTES = 100

/** Agents that share one key, and how to wait until all others have what one of them has changed. */
interface Linked {
  readonly states: ReadonlyArray<EngineState>
  readonly converged: (from: EngineState, n: number) => Promise<void>
}

const linked = async (engine: Engine): Promise<Linked> => {
  const states = Array.from({ length: AGENTS }, (_, at) => engine.state(`agent-${at}`))
  await Promise.all(states.map((state) => state.update({ local: { n: 0 } })))
  const waiting = new Set<string>()
  let wanted = 0
  let done: () => void = () => undefined
  await Promise.all(
    states.map((state) =>
      state.watch(["/shared/plan"], ({ changes }) => {
        if ((changes[0]!.after as { readonly n: number }).n !== wanted) return
        waiting.delete(state.agent)
        if (waiting.size === 0) done()
      })
    )
  )
  const converged = async (from: EngineState, n: number): Promise<void> => {
    for (const { agent } of states) waiting.add(agent)
    wanted = n
    const all = new Promise<void>((resolve) => {
      done = resolve
    })
    await from.update({ shared: { plan: valueOf(BYTES, n) } })
    await all
  }
  await engine.link({ group: states.map(({ agent }) => agent), keys: ["/shared/plan"] })
  return { states, converged }
}

/** How long it takes until what one of a hundred agents has changed is in the states of all others. */
export const linkConverge: Measure = {
  figures: ["link.converge.100_agents"],
  run: async (bench: Bench) => {
    const database = await bench.server.createDatabase(TIDEMARK)
    const engine = await engineAt(database)
    try {
      const { states, converged } = await linked(engine)
      let changes = 0
      const turn = async (milliseconds: number): Promise<number> => {
        const took: Array<number> = []
        const began = performance.now()
        while (performance.now() - began < milliseconds) {
          changes += 1
          const since = performance.now()
          await converged(states[changes % AGENTS]!, changes)
          took.push(performance.now() - since)
          // Nothing of one change is left to be done while the next one is measured.
          await folded(engine)
        }
        return quantile(took, 0.5)
      }
      await turn(bench.turn)
      await bench.server.vacuum(database)
      const found: Array<number> = []
      for (let round = 1; round <= bench.rounds; round += 1) {
        bench.note(`  round ${round} of ${bench.rounds}`)
        await bench.server.checkpoint()
        found.push(await turn(bench.turn))
      }
      return [figure("link.converge.100_agents", "ms", median(found))]
    } finally {
      await engine.close()
      await bench.server.dropDatabase(database)
    }
  }
}
