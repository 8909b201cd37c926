import { open, type Engine } from "../../dist/src/index.js"
import { TIDEMARK } from "./contenders.ts"
import { EVENT_TYPE, type Step } from "./event.ts"
import type { Contender, Store } from "./store.ts"

/** How often a consumer looks how far all of them are, in ms. */
const LOOK_EVERY_MS = 50

/** How long a session lasts, in ms: longer than it is measured. */
const SESSION_MS = 3_600_000

/** Opens an engine as a user would, with nothing switched off. */
export const engineAt = (database: string, readModels: "keep" | "follow" = "keep"): Promise<Engine> =>
  open({ database, readModels })

/** The engine's promise face, seen as a store. */
export const storeOf = (engine: Engine): Store => ({
  async append(stream, steps) {
    await engine.emit(
      stream,
      steps.map((data) => ({ type: EVENT_TYPE, data }))
    )
  },
  async subscribe(onStep) {
    const subscription = await engine.subscribe({ from: "now" }, async (event) => {
      if (event.type === EVENT_TYPE) onStep(event.data as Step)
    })
    return () => subscription.stop()
  },
  async replay(until) {
    let count = 0
    const end = await engine.settled()
    for await (const event of engine.events({ from: "start" })) {
      if (event.type === EVENT_TYPE) count += 1
      if (event.position >= end || until()) break
    }
    return count
  },
  async past() {
    let count = 0
    for await (const event of engine.replay()) {
      if (event.type === EVENT_TYPE) count += 1
    }
    return count
  },
  async consume(name, end) {
    let given = 0
    const subscription = await engine.subscribe({ name }, () => {
      given += 1
    })
    const isThrough = async (): Promise<boolean> =>
      (await subscription.control.status()).partitions.every(({ position }) => position >= end)
    while (!(await isThrough())) await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS))
    await subscription.stop()
    return given
  },
  async attend() {
    const state = engine.state("attended-1")
    await state.startSession("idle", { ttlMs: SESSION_MS })
    await state.update({ shared: { plan: ["wait"] } })
    await state.read()
    // Answered by the read model, which has folded it by then.
    await engine.states.statistics({ agent: "attended-1" })
  },
  close: () => engine.close()
})

/** Tidemark's contender: it keeps its own pool, so that the number of connections is not ours to give. */
export const tidemark: Contender = {
  name: TIDEMARK,

  async install(database) {
    const engine = await engineAt(database)
    await engine.close()
  },

  open: async (database) => storeOf(await engineAt(database))
}
