import type { Measure } from "../bench.ts"
import { BARE, isBare, isPeer, MESSAGE_DB_SPREAD, PEERS, TIDEMARK } from "../contenders.ts"
import { allEntered, entered } from "../entrant.ts"
import type { Figure } from "../figure.ts"
import type { LoadResult } from "../jobs/load.ts"
import { compared, interleaved, type Turns } from "../turns.ts"

interface Callers {
  readonly callers: number
  readonly eventsPerAppend: number
}

const C1: Callers = { callers: 1, eventsPerAppend: 1 }
const C64: Callers = { callers: 64, eventsPerAppend: 1 }
const BATCH50_C4: Callers = { callers: 4, eventsPerAppend: 50 }

const throughput = (turn: LoadResult): number => turn.eventsPerSecond

const againstPeers = (name: string, turns: Turns<LoadResult>): Figure =>
  compared(name, "events/s", turns, throughput, isPeer)

/** Every contender warm, with statistics, in a log that grows from turn to turn. */
const warm = (
  figures: ReadonlyArray<string>,
  load: Callers,
  contenders: ReadonlyArray<string>,
  judge: (turns: Turns<LoadResult>) => ReadonlyArray<Figure>
): Measure => ({
  figures,
  run: (bench) =>
    allEntered(bench, contenders, async (entrants) => {
      for (const entrant of entrants) {
        await entrant.perform("drive", { ...load, milliseconds: bench.turn / 2 })
        await bench.server.vacuum(entrant.database)
      }
      return judge(
        await interleaved(bench, entrants, (entrant) =>
          entrant.perform("drive", { ...load, milliseconds: bench.turn })
        )
      )
    })
})

export const emitC1 = warm(["emit.c1"], C1, [TIDEMARK, ...PEERS], (turns) => [againstPeers("emit.c1", turns)])

export const emitC64 = warm(
  ["emit.c64", "emit.c64.p50", "emit.c64.p99", "emit.c64.vs_bare"],
  C64,
  [TIDEMARK, BARE, ...PEERS, MESSAGE_DB_SPREAD],
  (turns) => [
    againstPeers("emit.c64", turns),
    compared("emit.c64.p50", "ms", turns, (turn) => turn.p50, isPeer),
    compared("emit.c64.p99", "ms", turns, (turn) => turn.p99, isPeer),
    compared("emit.c64.vs_bare", "events/s", turns, throughput, isBare)
  ]
)

export const emitBatch50C4 = warm(["emit.batch50.c4"], BATCH50_C4, [TIDEMARK, ...PEERS], (turns) => [
  againstPeers("emit.batch50.c4", turns)
])

/** Every turn in a new database and a new process: no statistics, no warm plans, empty tables. */
export const emitFresh: Measure = {
  figures: ["emit.c64.fresh"],
  run: async (bench) => {
    const contenders = [TIDEMARK, ...PEERS].map((name) => ({ name }))
    const turns = await interleaved(bench, contenders, ({ name }) =>
      entered(bench, name, (entrant) => entrant.perform("drive", { ...C64, milliseconds: bench.turn }))
    )
    return [againstPeers("emit.c64.fresh", turns)]
  }
}
