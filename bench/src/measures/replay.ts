import { BARE_SELECT, bareSelect } from "../bare-select.ts"
import type { Measure } from "../bench.ts"
import { TIDEMARK } from "../contenders.ts"
import { entered } from "../entrant.ts"
import { compared, interleaved } from "../turns.ts"

const EVENTS = 100_000

export const replay: Measure = {
  figures: ["replay.vs_bare"],
  run: (bench) =>
    entered(bench, TIDEMARK, async (log) => {
      bench.note(`  filling ${log.name}`)
      await log.perform("fill", { events: EVENTS })
      await bench.server.vacuum(log.database)
      const readers = [
        { name: TIDEMARK, read: () => log.perform("past", undefined) },
        { name: BARE_SELECT, read: () => bareSelect(log.database) }
      ]
      const turns = await interleaved(bench, readers, ({ read }) => read())
      const rate = (turn: number): number => turn
      return [compared("replay.vs_bare", "events/s", turns, rate, (name) => name === BARE_SELECT)]
    })
}
