/** Two agents decide differently: a person says who is right, once and for all, and the next time nobody has to be asked. */
import { randomUUID } from "node:crypto"
import { open } from "tidemark"

await using engine = await open()
const run = randomUUID().slice(0, 8)
const [planner, driver] = [engine.state(`planner-${run}`), engine.state(`driver-${run}`)]
const sync = async () => {
  const { targets } = await engine.sync({ from: planner.agent, to: [driver.agent], keys: ["/shared/**"] })
  return targets[0]!
}

await planner.update({ shared: { route: "A1", stops: 2 } })
await driver.update({ local: { car: "van" } })
await sync()

// Both change the route. What cannot be brought together is left as it is, and waits in the inbox; all else is taken over.
await planner.update({ shared: { route: "A2", stops: 3 } }, { actor: "planner", reason: "A1 is closed" })
await driver.update({ shared: { route: "B5" } }, { actor: "driver", reason: "a nicer view" })
const first = await sync()
console.log(
  "taken over:",
  first.applied,
  "left:",
  first.conflicts.map(({ path }) => path)
)

const [entry] = await engine.conflicts.list({ agent: driver.agent, status: "open" })
const { id, path, conflict } = entry!
console.log(path, "was", conflict.base)
console.log("· the driver has", conflict.ours, "because of", conflict.oursBecause)
console.log("· the planner has", conflict.theirs, "because of", conflict.theirsBecause)
console.log("· by rule:", conflict.rule ?? "none")

// An agent passes it on to a person, who decides it, and has it remembered as a rule for that path of the driver's state.
await engine.conflicts.assign(id, "ada", { by: "driver", reason: "not for me to say" })
const resolved = await engine.conflicts.resolve(
  id,
  { use: "theirs" },
  { by: "ada", reason: "the planner plans", remember: true }
)
console.log(resolved.status, "as", (await driver.read({ token: resolved.token! })).shared["route"])

// The next time the rule decides.
await planner.update({ shared: { route: "A3" } }, { actor: "planner" })
await driver.update({ shared: { route: "B6" } }, { actor: "driver" })
const next = await sync()
console.log(
  next.status,
  "as",
  (await driver.read()).shared["route"],
  "with conflicts:",
  next.conflicts.length
)

const { status, assignee, resolvedBy, reason } = await engine.conflicts.get(id)
console.log("in the inbox:", { status, assignee, resolvedBy, reason })
