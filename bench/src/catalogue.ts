import type { Measure } from "./bench.ts"
import { emitBigLog } from "./measures/big-log.ts"
import { catchup } from "./measures/catchup.ts"
import { consumers8, durable, durableDrain, durableTransactional } from "./measures/durable.ts"
import { emitBatch50C4, emitC1, emitC64, emitFresh } from "./measures/emit.ts"
import { fleet10k } from "./measures/fleet-10k.ts"
import { fleetQuestions, heartbeatRecord } from "./measures/fleet.ts"
import { idle } from "./measures/idle.ts"
import { latency } from "./measures/latency.ts"
import { emitP8 } from "./measures/processes.ts"
import { linkConverge } from "./measures/link.ts"
import { agentLists, lists } from "./measures/lists.ts"
import { replay } from "./measures/replay.ts"
import { rebuildEntities, rebuildRows } from "./measures/rebuild.ts"
import { rebuildAll } from "./measures/rebuild-all.ts"
import { state, stateBig, stateMerge } from "./measures/state.ts"
import { stateGrowth } from "./measures/state-growth.ts"
import { stateLoad } from "./measures/state-load.ts"
import { startup } from "./measures/startup.ts"
import { takeover } from "./measures/takeover.ts"
import { subscribersOfAll, subscribersOfOne } from "./measures/subscribers.ts"
import { sync } from "./measures/sync.ts"
import { watch1000, watchLatency } from "./measures/watch.ts"

const measures: ReadonlyArray<Measure> = [
  emitC1,
  emitC64,
  emitFresh,
  emitBatch50C4,
  emitP8,
  emitBigLog,
  latency,
  catchup,
  replay,
  durable,
  durableTransactional,
  durableDrain,
  consumers8,
  rebuildRows,
  rebuildEntities,
  rebuildAll,
  subscribersOfOne,
  subscribersOfAll,
  state,
  stateLoad,
  stateMerge,
  stateGrowth,
  stateBig,
  watchLatency,
  watch1000,
  sync,
  linkConverge,
  lists,
  agentLists,
  heartbeatRecord,
  fleetQuestions,
  fleet10k,
  idle,
  startup,
  takeover
]

/** Measures to run, and the figures to show of them. */
export interface Selection {
  readonly measures: ReadonlyArray<Measure>
  readonly figures: ReadonlySet<string>
}

/** Everything for no names; else each name is a figure's, or the beginning of several (`latency`). */
export const select = (names: ReadonlyArray<string>): Selection => {
  const all = measures.flatMap(({ figures }) => figures)
  const chosen = names.flatMap((name) => {
    const found = all.includes(name) ? [name] : all.filter((figure) => figure.startsWith(`${name}.`))
    if (found.length === 0) throw new Error(`No figure is called "${name}". There are: ${all.join(", ")}.`)
    return found
  })
  const figures = new Set(names.length === 0 ? all : chosen)
  return {
    figures,
    measures: measures.filter((measure) => measure.figures.some((name) => figures.has(name)))
  }
}
