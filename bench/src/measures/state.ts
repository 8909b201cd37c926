import type { Engine } from "../../../dist/src/index.js"
import type { EngineState } from "../../../dist/src/state.js"
import type { Bench, Measure } from "../bench.ts"
import { TIDEMARK } from "../contenders.ts"
import { figure, type Figure } from "../figure.ts"
import { LANGGRAPH, saverAt } from "../peers/langgraph.ts"
import { median } from "../quantile.ts"
import { BIG, folded, keyAt, SMALL, stateOf, valueOf, valuesOf } from "../states/contents.ts"
import { operations, timed } from "../states/operations.ts"
import { engineAt } from "../tidemark.ts"

const SHORT = 100
const LONG = 100_000
const RUNS = 30
const BIG_RUNS = 10
const WARM_UP = 20

/** A log of its own, and an engine on it. */
const onLog = async <R>(bench: Bench, use: (engine: Engine, database: string) => Promise<R>): Promise<R> => {
  const database = await bench.server.createDatabase(TIDEMARK)
  const engine = await engineAt(database)
  try {
    return await use(engine, database)
  } finally {
    await engine.close()
    await bench.server.dropDatabase(database)
  }
}

interface Subject {
  readonly state: EngineState
  readonly found: Map<string, Array<number>>
}

const round = async (
  bench: Bench,
  engine: Engine,
  subjects: ReadonlyArray<Subject>,
  size: typeof SMALL,
  runs: number,
  number: number
): Promise<void> => {
  await bench.server.checkpoint()
  for (const operation of operations(size))
    for (const { state, found } of subjects) {
      await folded(engine)
      const took = await timed(operation, state, runs, number * runs)
      if (number > 0) found.set(operation.name, [...(found.get(operation.name) ?? []), ...took])
    }
}

const measured = async (
  bench: Bench,
  engine: Engine,
  states: ReadonlyArray<EngineState>,
  size: typeof SMALL,
  runs: number
): Promise<ReadonlyArray<ReadonlyMap<string, number>>> => {
  const subjects = states.map((state): Subject => ({ state, found: new Map() }))
  for (let number = 0; number <= bench.rounds; number += 1) {
    bench.note(`  ${number === 0 ? "warm-up" : `round ${number} of ${bench.rounds}`}`)
    await round(bench, engine, subjects, size, runs, number)
  }
  return subjects.map(({ found }) => new Map([...found].map(([name, took]) => [name, median(took)])))
}

const names = operations(SMALL).map(({ name }) => name)

/** Each operation alone: on a short history, beside a long one, and beside LangGraph where it has such an operation. */
export const state: Measure = {
  figures: names.flatMap((name) => [`state.${name}`, `state.${name}.flat`]),
  run: (bench) =>
    onLog(bench, async (engine, database) => {
      bench.note(`  writing a history of ${LONG} changes`)
      const states = [
        await stateOf(engine, "short", SMALL, SHORT),
        await stateOf(engine, "long", SMALL, LONG)
      ]
      await bench.server.vacuum(database)
      const [short, long] = await measured(bench, engine, states, SMALL, RUNS)
      const rivals = await langgraphAlone(bench)
      return names.flatMap((name): ReadonlyArray<Figure> => {
        const [of, beside] = [short!.get(name)!, rivals.get(name)]
        return [
          figure(`state.${name}`, "ms", of, beside === undefined ? [] : [{ name: LANGGRAPH, value: beside }]),
          figure(`state.${name}.flat`, "×", long!.get(name)! / of)
        ]
      })
    })
}

/** One caller of LangGraph's saver, on equal contents. */
const langgraphAlone = async (bench: Bench): Promise<ReadonlyMap<string, number>> => {
  const database = await bench.server.createDatabase(LANGGRAPH)
  const saver = await saverAt(database, 1)
  try {
    const thread = await saver.thread("short", valuesOf(SMALL))
    const runs = RUNS * bench.rounds
    const each = async (run: (at: number) => Promise<unknown>): Promise<number> => {
      const took: Array<number> = []
      for (let at = 0; at < runs + WARM_UP; at += 1) {
        const began = performance.now()
        await run(at)
        if (at >= WARM_UP) took.push(performance.now() - began)
      }
      return median(took)
    }
    const put = await each((at) => thread.put(keyAt(at % SMALL.keys), valueOf(SMALL.bytes, at)))
    const latest = await each(() => thread.latest())
    return new Map([
      ["update.c1", put],
      ["read", latest]
    ])
  } finally {
    await saver.close()
    await bench.server.dropDatabase(database)
  }
}

/** The same with a state of 5 MB, which no target is for. */
export const stateBig: Measure = {
  figures: names.map((name) => `state.5MB.${name}`),
  run: (bench) =>
    onLog(bench, async (engine, database) => {
      const big = await stateOf(engine, "big", BIG, SHORT)
      await bench.server.vacuum(database)
      const [found] = await measured(bench, engine, [big], BIG, BIG_RUNS)
      return names.map((name) => figure(`state.5MB.${name}`, "ms", found!.get(name)!))
    })
}

const MERGE_KEYS = 10_000
const MERGE_CHANGES = 100
const MERGE_RUNS = 5

/** Both branches of a state of 10 000 keys have changed 100 of them. */
const mergeOnce = async (engine: Engine, of: EngineState, number: number): Promise<number> => {
  const branch = `plan-${number}`
  await of.branch(branch)
  const changed = (from: number) =>
    Object.fromEntries(
      Array.from({ length: MERGE_CHANGES }, (_, at) => [
        keyAt(from + at * 50),
        valueOf(100, 1 + number + from)
      ])
    )
  await of.on(branch).update({ shared: changed(number % 20) })
  await of.update({ shared: changed(20 + (number % 20)) })
  await folded(engine)
  const began = performance.now()
  const { status } = await of.merge(branch)
  const took = performance.now() - began
  if (status !== "merged") throw new Error(`The merge is ${status}.`)
  await of.deleteBranch(branch)
  return took
}

export const stateMerge: Measure = {
  figures: ["state.merge.10k_keys_100_changes"],
  run: (bench) =>
    onLog(bench, async (engine, database) => {
      const of = await stateOf(engine, "merged", { keys: MERGE_KEYS, bytes: 100 }, 0)
      await bench.server.vacuum(database)
      const took: Array<number> = []
      for (let number = 0; number < (bench.rounds + 1) * MERGE_RUNS; number += 1) {
        const ms = await mergeOnce(engine, of, number)
        if (number >= MERGE_RUNS) took.push(ms)
      }
      return [figure("state.merge.10k_keys_100_changes", "ms", median(took))]
    })
}
