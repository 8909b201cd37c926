import type { Engine } from "../../../dist/src/index.js"
import type { EngineState } from "../../../dist/src/state.js"

/** A state of the size that targets are for: 50 keys of 200 bytes. */
export const SMALL = { keys: 50, bytes: 200 }

/** A state of 5 MB: 10 000 keys of 500 bytes. */
export const BIG = { keys: 10_000, bytes: 500 }

export interface Size {
  readonly keys: number
  readonly bytes: number
}

export const keyAt = (at: number): string => `key-${String(at).padStart(5, "0")}`

/** A value of about so many bytes, another for each number. */
export const valueOf = (bytes: number, number = 0) => ({ n: number, text: "x".repeat(bytes - 20) })

export const valuesOf = ({ keys, bytes }: Size) =>
  Object.fromEntries(Array.from({ length: keys }, (_, at) => [keyAt(at), valueOf(bytes)]))

/** How many updates are under way at a time while a history is written. */
const AT_ONCE = 256

/** The state of an agent of this size, after so many changes of one key each. */
export const stateOf = async (
  engine: Engine,
  agent: string,
  size: Size,
  changes: number
): Promise<EngineState> => {
  const state = engine.state(agent)
  await state.update({ shared: valuesOf(size) })
  for (let done = 0; done < changes; done += AT_ONCE)
    await Promise.all(
      Array.from({ length: Math.min(AT_ONCE, changes - done) }, (_, at) =>
        state.update({ shared: { [keyAt((done + at) % size.keys)]: valueOf(size.bytes, done + at + 1) } })
      )
    )
  await folded(engine)
  return state
}

const LOOK_EVERY_MS = 20

/** Resolves when the read model of states has folded everything. */
export const folded = async (engine: Engine): Promise<void> => {
  const end = await engine.settled()
  for (;;) {
    const { projections } = await engine.status()
    const states = projections.find(({ name }) => name === "states")
    if (states !== undefined && states.position >= end) return
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS))
  }
}
