/** Three agents share a plan: each works on its own copy, and what they synchronise is merged with what both had when they last met. */
import { randomUUID } from "node:crypto"
import { open } from "tidemark"

await using engine = await open()
const run = randomUUID().slice(0, 8)
const names = [`lead-${run}`, `cook-${run}`, `driver-${run}`] as const
const [lead, cook, driver] = names.map((name) => engine.state(name)) as [State, State, State]
type State = ReturnType<typeof engine.state>

await engine.defineState({
  agentType: "crew",
  rules: [
    { path: "/shared/spent", number: "counter" }, // what each has spent counts
    { path: "/shared/done", array: "append" } // what each has done is in it, once
  ]
})
for (const name of names) await engine.state(name, { type: "crew" }).update({ local: { name } })

const keys = ["/shared/**"]
await lead.update({ shared: { plan: { dish: "soup", at: "noon" }, spent: 0, done: [] } })
await engine.sync({ from: lead.agent, to: [cook.agent, driver.agent], keys })

// All go on by themselves.
await cook.update({ shared: { plan: { dish: "stew" }, spent: 30, done: ["shopping"] } }, { actor: "cook" })
await driver.update({ shared: { spent: 12, done: ["fuel"] } }, { actor: "driver" })
await lead.update({ shared: { plan: { at: "one" } } }, { actor: "lead" })

// Both changed the plan, each another part of it; of the money both sums count, though the driver's comes by way of the cook.
await engine.sync({ from: driver.agent, to: [cook.agent], keys })
const { targets } = await engine.sync({ from: cook.agent, to: [lead.agent, driver.agent], keys })
for (const { agent, applied, merged } of targets) console.log(agent, { applied, merged })
console.log("the lead has", (await lead.read()).shared)

// What both changed to different values is left as it is, and told, for whoever decides.
await cook.update({ shared: { plan: { at: "two" } } }, { actor: "cook", reason: "the stew takes longer" })
await lead.update({ shared: { plan: { at: "half past one" } } }, { actor: "lead", reason: "guests" })
const conflicts = await engine.detectConflicts({ source: cook.agent, target: lead.agent, keys })
for (const { path, ours, oursBecause, theirs, theirsBecause } of conflicts)
  console.log(path, "·", ours, `(${oursBecause})`, "or", theirs, `(${theirsBecause})`)
await engine.sync({ from: cook.agent, to: [lead.agent], keys, strategy: "source_wins", actor: "ada" })
await engine.sync({ from: lead.agent, to: [cook.agent, driver.agent], keys })
const plans = await Promise.all(
  [lead, cook, driver].map(async (state) => (await state.read()).shared["plan"])
)
console.log("all have", plans[0], new Set(plans.map((plan) => JSON.stringify(plan))).size === 1)

const syncs = await engine.states.syncs({ agent: lead.agent })
for (const { source, target, status, keys: taken } of syncs) console.log(source, "→", target, status, taken)
