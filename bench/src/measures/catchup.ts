import { BARE_SELECT, bareSelect } from "../bare-select.ts"
import type { Measure } from "../bench.ts"
import { isPeer, PEERS, TIDEMARK } from "../contenders.ts"
import { allEntered } from "../entrant.ts"
import { compared, interleaved } from "../turns.ts"

const EVENTS = 100_000

// Every contender that reads at a useful rate reads all of it in this time; of the others what they got counts.
const LONGEST_TURN_MS = 10_000

export const catchup: Measure = {
  figures: ["catchup", "catchup.vs_bare"],
  run: (bench) =>
    allEntered(bench, [TIDEMARK, ...PEERS], async (entrants) => {
      for (const entrant of entrants) {
        bench.note(`  filling ${entrant.name}`)
        await entrant.perform("fill", { events: EVENTS })
        await bench.server.vacuum(entrant.database)
      }
      const readers = entrants.map((entrant) => ({
        name: entrant.name,
        read: () => entrant.perform("replay", { longest: LONGEST_TURN_MS })
      }))
      const log = entrants.find(({ name }) => name === TIDEMARK)
      if (log !== undefined) readers.push({ name: BARE_SELECT, read: () => bareSelect(log.database) })
      const turns = await interleaved(bench, readers, ({ read }) => read())
      const rate = (turn: number): number => turn
      return [
        compared("catchup", "events/s", turns, rate, isPeer),
        compared("catchup.vs_bare", "events/s", turns, rate, (name) => name === BARE_SELECT)
      ]
    })
}
