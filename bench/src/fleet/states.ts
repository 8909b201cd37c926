import type { Engine } from "../../../dist/src/index.js"
import { agentAt } from "./names.ts"

/** How many of the agents have a state. */
const STATEFUL = 1_000

/** One change of an agent's state in a hundred events. */
const EVERY = 100

/** Changes a key of an agent's state: the nth event of the fleet. */
export const changeState = (engine: Engine, n: number): Promise<unknown> => {
  const nth = Math.floor(n / EVERY)
  return engine.state(agentAt(nth % STATEFUL)).update({ shared: { [`progress-${nth % 7}`]: { step: nth } } })
}
