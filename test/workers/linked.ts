import { open } from "../../src/index.ts"
import { heard, input, say } from "../support/worker.ts"

// A process that changes the states of agents that are linked, and does its part of bringing that to the others, until it is told to leave off
// changing, or is killed.

const { database, agents, name } = input<{
  readonly database: string
  readonly agents: ReadonlyArray<string>
  readonly name: string
}>()
const PAUSE_MS = 10
const engine = await open({ database, logger: false, leaseMs: 1_000 })
let isOver = false

const change = async (nth: number): Promise<void> => {
  const state = engine.state(agents[Math.floor(Math.random() * agents.length)]!)
  const { shared, token } = await state.read({ tiers: ["shared"] })
  const { count = 0, list = [] } = shared as { count?: number; list?: Array<string> }
  const by = { base: token, actor: name, reason: nth % 3 === 0 ? "append" : "count" }
  const given = nth % 3 === 0 ? { list: [...list, `${name}-${nth}`] } : { count: count + 1 }
  await state.update({ shared: given }, by)
}

heard(() => {
  isOver = true
})
say({ ready: true })
for (let nth = 1; !isOver; nth += 1) {
  await change(nth)
  await new Promise((done) => setTimeout(done, PAUSE_MS))
}
say({ over: true })
