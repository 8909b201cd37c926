import type { EngineState } from "../../../dist/src/state.js"
import { keyAt, type Size, valueOf } from "./contents.ts"

/** One thing that is done to a state and timed; what has to be there for it is made before, and not timed. */
export interface Operation {
  readonly name: string
  readonly prepare?: (state: EngineState, round: number) => Promise<unknown>
  readonly run: (state: EngineState, round: number, prepared: unknown) => Promise<unknown>
}

/** How far back old versions are looked at. */
const BACK = 50

/** More than any history has changes. */
let changes = 1_000_000

export const operations = ({ keys, bytes }: Size): ReadonlyArray<Operation> => {
  /** Each is another one: what is so already would not be written. */
  const change = (state: EngineState, round: number) =>
    state.update({ shared: { [keyAt((round * 7) % keys)]: valueOf(bytes, (changes += 1)) } })
  return [
    { name: "read.cached", run: (state) => state.read({ cached: true }) },
    { name: "read", run: (state) => state.read() },
    { name: "read.path", run: (state, round) => state.read({ paths: [`/shared/${keyAt(round % keys)}`] }) },
    { name: "update.c1", run: change },
    { name: "commit", prepare: change, run: (state, round) => state.commit(`commit ${round}`) },
    { name: "branch", run: (state, round) => state.branch(`branch-${Date.now()}-${round}`) },
    {
      name: "read_at",
      prepare: async (state) => (await state.read({ paths: [`/shared/${keyAt(0)}`] })).version,
      run: (state, round, version) => state.read({ version: (version as number) - BACK - (round % BACK) })
    },
    { name: "history", run: (state) => state.history({ limit: 50 }) },
    {
      name: "diff",
      prepare: async (state) => (await state.read({ paths: [`/shared/${keyAt(0)}`] })).version,
      run: (state, _, version) => state.diff((version as number) - BACK)
    },
    { name: "checkpoint", prepare: change, run: (state) => state.checkpoint({ type: "bench" }) },
    {
      name: "restore",
      prepare: async (state, round) => {
        const checkpoint = await state.checkpoint()
        await change(state, round + 1)
        return checkpoint.checkpoint
      },
      run: (state, _, checkpoint) => state.restore(checkpoint as string)
    }
  ]
}

/** How long each of some runs took, in ms. */
export const timed = async (
  { prepare, run }: Operation,
  state: EngineState,
  runs: number,
  from: number
): Promise<ReadonlyArray<number>> => {
  const took: Array<number> = []
  for (let round = from; round < from + runs; round += 1) {
    const prepared = await prepare?.(state, round)
    const began = performance.now()
    await run(state, round, prepared)
    took.push(performance.now() - began)
  }
  return took
}
