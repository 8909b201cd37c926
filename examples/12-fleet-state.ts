/** What a fleet shares: a counter that many count up, who changed a value and why, and what goes wrong, as it happens. */
import { randomUUID } from "node:crypto"
import { open } from "tidemark"
import { NotAsExpected } from "tidemark/errors"

await using engine = await open()
const run = randomUUID().slice(0, 8)
const key = `budget.${run}`

/** Takes one of the budget. Who finds it taken by another meanwhile decides again by what is left. */
const spend = async (by: string, left: number): Promise<number> => {
  try {
    await engine.systemState.compareAndSet({ key, expected: left, value: left - 1, by, reason: "a search" })
    return left - 1
  } catch (error) {
    if (error instanceof NotAsExpected && typeof error.actual === "number") return spend(by, error.actual)
    throw error
  }
}

await engine.systemState.set({ key, value: 10, by: "operator" })
await Promise.all(["planner", "driver", "searcher"].map((agent) => spend(agent, 10)))
console.log("left:", (await engine.systemState.get({ key }))?.value)
for (const { value, by, reason } of await engine.systemState.history({ key }))
  console.log(value, by, reason ?? "")

// Live, wherever it was logged. What is at least a WARNING is kept for ever.
const type = `tool_failed.${run}`
const categories = ["system_event", "system_log"]
let told = (_heard: unknown): void => undefined
const heard = new Promise<unknown>((resolve) => {
  told = resolve
})
const filter = { categories, types: ["SystemEventLogged"], labels: [`event:${type}`] }
const subscription = await engine.subscribe(filter, ({ data }) => told(data))
await engine.systemEvents.log({ type, agent: `searcher-${run}`, severity: "ERROR", data: { tool: "search" } })
console.log("heard:", JSON.stringify(await heard))
await subscription.stop()
const [event] = await engine.systemEvents.list({ type, severity: "WARNING" })
console.log(event?.severity, event?.agent === `searcher-${run}`)
