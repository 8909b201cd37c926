/** Who looks after a fleet asks whether all is well, looks for what was written, and gives a model what it should know. */
import { randomUUID } from "node:crypto"
import { open } from "tidemark"

await using engine = await open()
const agent = `billing-${randomUUID().slice(0, 8)}`

await engine.agents.register({ agent, name: "Invoice writer", capabilities: ["invoices"] })
await engine.heartbeats.record({ agent, metrics: { cpu_usage: 20 } })
await engine.systemEvents.log({ type: "disk_full", severity: "ERROR", agent, data: { volume: "invoices" } })
await engine.systemState.set({ key: "mode", value: "calm", by: "ada" })
await engine.help.ask({ user: "ada", content: "Where do the invoices go when the disk is full?" })

// What is written is found once the read models have it; a query of theirs waits for that.
for (const list of [engine.agents, engine.help, engine.systemEvents] as const) await list.list()

const { status, checks } = await engine.health()
console.log("the fleet is", status)
for (const { name, state, found, remedy } of checks.filter((check) => check.state !== "ok"))
  console.log(`${name} (${state}): ${found}. To do: ${remedy}`)

const { agents, heartbeats, pool, indicators } = await engine.statistics()
console.log({ agents, heartbeats, connections: `${pool.open - pool.idle} of ${pool.size}` })
console.log(
  "missed:",
  indicators.filter(({ isMet }) => isMet === false).map(({ name }) => name)
)

for (const { kind, title, snippet } of await engine.search("invoices", { limit: 5 }))
  console.log(kind, title, "·", snippet)

const { text } = await engine.context({ maxCharacters: 2_000 })
console.log(text.split("\n").slice(0, 3).join("\n"))
