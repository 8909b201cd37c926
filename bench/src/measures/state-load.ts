import type { Engine } from "../../../dist/src/index.js"
import type { Bench, Measure } from "../bench.ts"
import { TIDEMARK } from "../contenders.ts"
import { figure, type Figure } from "../figure.ts"
import { LANGGRAPH, type Saver, saverAt, type Thread } from "../peers/langgraph.ts"
import { median, quantile } from "../quantile.ts"
import { folded, keyAt, SMALL, stateOf, valueOf, valuesOf } from "../states/contents.ts"
import { engineAt } from "../tidemark.ts"

const CALLERS = 64
/** As many as every peer of the log's measures has. */
const CONNECTIONS = 16

interface Load {
  readonly perSecond: number
  readonly p50: number
}

/** So many callers, each of whom goes on as soon as it is answered. */
const drive = async (milliseconds: number, call: (caller: number, at: number) => Promise<unknown>) => {
  const took: Array<number> = []
  const began = performance.now()
  const caller = async (number: number): Promise<void> => {
    for (let at = 0; performance.now() - began < milliseconds; at += 1) {
      const since = performance.now()
      await call(number, at)
      took.push(performance.now() - since)
    }
  }
  await Promise.all(Array.from({ length: CALLERS }, (_, number) => caller(number)))
  const seconds = (performance.now() - began) / 1000
  return { perSecond: took.length / seconds, p50: quantile(took, 0.5) }
}

type Call = (caller: number, at: number) => Promise<unknown>

/** Each call in turns, after one that is not counted. */
const turns = async (
  bench: Bench,
  calls: ReadonlyMap<string, Call>,
  between: () => Promise<void>
): Promise<ReadonlyMap<string, Load>> => {
  const found = new Map<string, Array<Load>>()
  for (let round = 0; round <= bench.rounds; round += 1)
    for (const [name, call] of calls) {
      bench.note(`  ${round === 0 ? "warm-up" : `round ${round} of ${bench.rounds}`}: ${name}`)
      await between()
      await bench.server.checkpoint()
      const load = await drive(round === 0 ? bench.turn / 2 : bench.turn, call)
      if (round > 0) found.set(name, [...(found.get(name) ?? []), load])
    }
  return new Map(
    [...found].map(([name, loads]) => [
      name,
      {
        perSecond: median(loads.map(({ perSecond }) => perSecond)),
        p50: median(loads.map(({ p50 }) => p50))
      }
    ])
  )
}

let changes = 0

/** Each is another one: what is so already would not be written. */
const change = (caller: number, at: number) => ({
  key: keyAt((caller + at) % SMALL.keys),
  value: valueOf(SMALL.bytes, (changes += 1))
})

const callsOf = async (engine: Engine, saver: Saver): Promise<ReadonlyMap<string, Call>> => {
  const states = await Promise.all(
    Array.from({ length: CALLERS }, (_, number) => stateOf(engine, `agent-${number}`, SMALL, 0))
  )
  const threads: Array<Thread> = []
  for (let number = 0; number < CALLERS; number += 1)
    threads.push(await saver.thread(`thread-${number}`, valuesOf(SMALL)))
  const one = await stateOf(engine, "contended", SMALL, 0)
  const update: Call = (caller, at) => {
    const { key, value } = change(caller, at)
    return states[caller]!.update({ shared: { [key]: value } })
  }
  return new Map<string, Call>([
    ["update", update],
    [
      "put",
      (caller, at) => {
        const { key, value } = change(caller, at)
        return threads[caller]!.put(key, value)
      }
    ],
    ["checkpoint", (caller) => states[caller]!.checkpoint({ type: "bench" })],
    ["read", (caller) => states[caller]!.read()],
    ["latest", (caller) => threads[caller]!.latest()],
    [
      "contended",
      (caller) => {
        const { key, value } = change(caller, 0)
        return one.update({ shared: { [key]: value } })
      }
    ]
  ])
}

const figuresOf = (found: ReadonlyMap<string, Load>): ReadonlyArray<Figure> => {
  const against = (name: string, own: string, peer: string): ReadonlyArray<Figure> => [
    figure(name, "ops/s", found.get(own)!.perSecond, [
      { name: LANGGRAPH, value: found.get(peer)!.perSecond }
    ]),
    figure(`${name}.p50`, "ms", found.get(own)!.p50, [{ name: LANGGRAPH, value: found.get(peer)!.p50 }])
  ]
  const contended = found.get("contended")!
  return [
    ...against("state.update.c64", "update", "put"),
    ...against("state.checkpoint.c64", "checkpoint", "put"),
    ...against("state.read.c64", "read", "latest"),
    figure("state.update.contended", "ops/s", contended.perSecond),
    figure("state.update.contended.p50", "ms", contended.p50)
  ]
}

/** 64 callers: each with an agent, or a thread, of its own; and all at one branch. */
export const stateLoad: Measure = {
  figures: [
    ...["state.update.c64", "state.checkpoint.c64", "state.read.c64", "state.update.contended"].flatMap(
      (name) => [name, `${name}.p50`]
    )
  ],
  run: async (bench) => {
    const own = await bench.server.createDatabase(TIDEMARK)
    const peer = await bench.server.createDatabase(LANGGRAPH)
    const [engine, saver] = [await engineAt(own), await saverAt(peer, CONNECTIONS)]
    try {
      const calls = await callsOf(engine, saver)
      for (const database of [own, peer]) await bench.server.vacuum(database)
      // What was written before is folded before the next turn: else a peer's would pay for it.
      return figuresOf(await turns(bench, calls, () => folded(engine)))
    } finally {
      await engine.close()
      await saver.close()
      for (const database of [own, peer]) await bench.server.dropDatabase(database)
    }
  }
}
