import type { Engine } from "../../../dist/src/index.js"
import type { EngineState } from "../../../dist/src/state.js"
import type { Bench, Measure } from "../bench.ts"
import { TIDEMARK } from "../contenders.ts"
import { figure } from "../figure.ts"
import { median, quantile } from "../quantile.ts"
import { folded, keyAt, valueOf } from "../states/contents.ts"
import { engineAt } from "../tidemark.ts"

/** How many pairs of agents synchronise at the same time, and how many keys change from one time to the next. */
const PAIRS = 64
const KEYS = 10
const BYTES = 100

let changes = 0

/** Each key gets another value than it has. */
const changed = () =>
  Object.fromEntries(Array.from({ length: KEYS }, (_, at) => [keyAt(at), valueOf(BYTES, (changes += 1))]))

interface Load {
  readonly perSecond: number
  readonly p50: number
}

/** One pair after the other of these: what has changed in one goes to the other. */
const turn = async (
  engine: Engine,
  pairs: ReadonlyArray<readonly [EngineState, EngineState]>,
  milliseconds: number
): Promise<Load> => {
  const took: Array<number> = []
  const began = performance.now()
  const run = async ([from, to]: readonly [EngineState, EngineState]): Promise<void> => {
    while (performance.now() - began < milliseconds) {
      await from.update({ shared: changed() })
      const since = performance.now()
      const { targets } = await engine.sync({ from: from.agent, to: [to.agent], keys: ["/shared/**"] })
      took.push(performance.now() - since)
      if (targets[0]!.applied.length !== KEYS)
        throw new Error(`Of ${KEYS} keys ${targets[0]!.applied.length} were taken over.`)
    }
  }
  await Promise.all(pairs.map(run))
  return { perSecond: (took.length * KEYS * 1000) / (performance.now() - began), p50: quantile(took, 0.5) }
}

/** How many changes of keys go from agents to others, and how long one synchronisation takes where it is the only one. */
export const sync: Measure = {
  figures: ["sync.changes_per_s", "sync.p50"],
  run: async (bench: Bench) => {
    const database = await bench.server.createDatabase(TIDEMARK)
    const engine = await engineAt(database)
    try {
      const pairs = await Promise.all(
        Array.from({ length: PAIRS }, async (_, at): Promise<readonly [EngineState, EngineState]> => {
          const pair = [engine.state(`from-${at}`), engine.state(`to-${at}`)] as const
          for (const state of pair) await state.update({ shared: changed() })
          return pair
        })
      )
      // As if one of them had always won: what both have is a conflict else.
      for (const [from, to] of pairs)
        await engine.sync({ from: from.agent, to: [to.agent], keys: ["/shared/**"], strategy: "source_wins" })
      await folded(engine)
      await bench.server.vacuum(database)
      const loads: Array<Load> = []
      const alone: Array<Load> = []
      for (let round = 0; round <= bench.rounds; round += 1) {
        bench.note(`  ${round === 0 ? "warm-up" : `round ${round} of ${bench.rounds}`}`)
        for (const [of, found] of [
          [pairs, loads],
          [pairs.slice(0, 1), alone]
        ] as const) {
          await folded(engine)
          await bench.server.checkpoint()
          const load = await turn(engine, of, bench.turn)
          if (round > 0) found.push(load)
        }
      }
      return [
        figure("sync.changes_per_s", "ops/s", median(loads.map(({ perSecond }) => perSecond))),
        figure("sync.p50", "ms", median(alone.map(({ p50 }) => p50)))
      ]
    } finally {
      await engine.close()
      await bench.server.dropDatabase(database)
    }
  }
}
