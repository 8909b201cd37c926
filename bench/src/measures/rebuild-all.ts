import { builtIn } from "../../../dist/projections/index.js"
import type { Engine } from "../../../dist/src/index.js"
import type { Bench, Measure } from "../bench.ts"
import { TIDEMARK } from "../contenders.ts"
import { figure, type Rival } from "../figure.ts"
import { fillFleet } from "../fleet/fill.ts"
import { engineAt } from "../tidemark.ts"

const NAMES = Object.keys(builtIn)

/** Every read model, one after the other, from the log of a fleet; each events per second of its own types, and how long all took together. */
const rebuilt = async (
  bench: Bench,
  engine: Engine
): Promise<{ readonly seconds: number; readonly each: ReadonlyArray<Rival> }> => {
  const each: Array<Rival> = []
  let total = 0
  for (const name of NAMES) {
    await bench.server.checkpoint()
    const { rate, events, seconds } = await engine.rebuild(name, { keep: 0 })
    bench.note(`  ${name}: ${events} events in ${seconds.toFixed(1)} s, ${Math.round(rate)} a second`)
    each.push({ name, value: rate })
    total += seconds
  }
  bench.note(`  all of them: ${total.toFixed(1)} s`)
  return { seconds: total, each: each.toSorted((a, b) => a.value - b.value) }
}

/** The log's events by the time that all read models take together. It is done once: where the log is large, it takes long enough. */
export const rebuildAll: Measure = {
  figures: ["rebuild.all"],
  run: async (bench) => {
    const database = await bench.server.createDatabase(TIDEMARK)
    try {
      await (await engineAt(database)).close()
      const engine = await engineAt(database, "follow")
      try {
        await fillFleet(bench, engine, database, { first: 0, count: bench.fleetLog })
        await bench.server.vacuum(database)
        const { seconds, each } = await rebuilt(bench, engine)
        return [figure("rebuild.all", "events/s", bench.fleetLog / seconds, each, () => false)]
      } finally {
        await engine.close()
      }
    } finally {
      await bench.server.dropDatabase(database)
    }
  }
}
