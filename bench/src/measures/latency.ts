import type { Measure } from "../bench.ts"
import { DCB, EMMETT, isPeer, TIDEMARK } from "../contenders.ts"
import { allEntered } from "../entrant.ts"
import { compared, interleaved } from "../turns.ts"

const PER_SECOND = 1000
const STREAMS = 64
const WARM_UP_MS = 500

export const latency: Measure = {
  figures: ["latency.1000.p50", "latency.1000.p99"],
  // message-db is not here: its package is SQL only, and has no subscriber to measure.
  run: (bench) =>
    allEntered(bench, [TIDEMARK, EMMETT, DCB], async (entrants) => {
      const load = { perSecond: PER_SECOND, streams: STREAMS, milliseconds: bench.turn }
      for (const entrant of entrants) await entrant.perform("hear", { ...load, milliseconds: WARM_UP_MS })
      const turns = await interleaved(bench, entrants, async (entrant) => {
        const ages = await entrant.perform("hear", load)
        if (ages.missed > 0) bench.note(`  ${entrant.name} missed ${ages.missed} events`)
        if (ages.repeated > 0) bench.note(`  ${entrant.name} repeated ${ages.repeated} events`)
        return ages
      })
      return [
        compared("latency.1000.p50", "ms", turns, (turn) => turn.p50, isPeer),
        compared("latency.1000.p99", "ms", turns, (turn) => turn.p99, isPeer)
      ]
    })
}
