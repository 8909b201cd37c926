import type { Measure } from "../bench.ts"
import { isPeer, PEERS, TIDEMARK } from "../contenders.ts"
import { allEntered, seat, type Entrant } from "../entrant.ts"
import { compared, interleaved } from "../turns.ts"

const PROCESSES = 8
const CALLERS_PER_PROCESS = 8
const WARM_UP_MS = 300

/** Eight processes emit into one log at the same time; the sum of what they got acknowledged per second. */
const turn = async ({ name, database }: Entrant, milliseconds: number): Promise<number> => {
  const processes = await Promise.all(
    Array.from({ length: PROCESSES }, () => seat(name, database, { connections: CALLERS_PER_PROCESS }))
  )
  const emit = (duration: number): Promise<ReadonlyArray<{ readonly eventsPerSecond: number }>> =>
    Promise.all(
      processes.map((process, index) =>
        process.perform("drive", {
          callers: CALLERS_PER_PROCESS,
          eventsPerAppend: 1,
          milliseconds: duration,
          firstStream: 1 + index * CALLERS_PER_PROCESS
        })
      )
    )
  await emit(WARM_UP_MS)
  const results = await emit(milliseconds)
  await Promise.all(processes.map((process) => process.close()))
  return results.reduce((sum, { eventsPerSecond }) => sum + eventsPerSecond, 0)
}

export const emitP8: Measure = {
  figures: ["emit.p8"],
  run: (bench) =>
    allEntered(bench, [TIDEMARK, ...PEERS], async (entrants) => {
      const turns = await interleaved(bench, entrants, (entrant) => turn(entrant, bench.turn))
      return [compared("emit.p8", "events/s", turns, (rate) => rate, isPeer)]
    })
}
