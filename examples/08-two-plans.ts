/** An agent tries two plans on branches of its state, compares them, merges one, and keeps the other by its tag. */
import { randomUUID } from "node:crypto"
import { open } from "tidemark"

await using engine = await open()
const state = engine.state(`planner-${randomUUID().slice(0, 8)}`)

await state.update({
  shared: { goal: "move the shop", steps: ["pack"], budget: 100 },
  local: { mood: "curious" }
})
await state.commit("what is known", { author: "planner" })

// A branch copies nothing; neither sees what the other writes.
await state.branch("by-truck", { description: "one big truck" })
await state.branch("by-train", { description: "several small trips" })
const [truck, train] = [state.on("by-truck"), state.on("by-train")]

await truck.update({ shared: { budget: 80, vehicle: "truck" } }, { actor: "planner", reason: "one trip" })
await truck.patch([{ op: "add", path: "/shared/steps/-", value: "hire a truck" }])
await train.update({ shared: { budget: 60 }, local: { mood: "patient" } }, { actor: "scout" })

console.log("the plans differ by")
console.log(await truck.diff({ branch: "by-truck" }, { branch: "by-train" }, { format: "text" }))

// Meanwhile somebody else changed the budget on main: what both changed is a conflict, and all else goes through.
await state.update({ shared: { budget: 90 } }, { actor: "finance", reason: "a bad month" })
const merge = await state.merge("by-truck", { author: "planner", reason: "one trip is safer" })
for (const { path, base, ours, oursBy, oursBecause, theirs, theirsBy } of merge.conflicts)
  console.log(
    path,
    "was",
    base,
    "·",
    oursBy,
    "wants",
    ours,
    `(${oursBecause})`,
    "·",
    theirsBy,
    "wants",
    theirs
  )

// It waits in the database for whoever decides: heads stay untouched until then.
console.log(
  "waiting:",
  (await state.merges({ status: "pending" })).map(({ source, openConflicts }) => ({ source, openConflicts }))
)
await merge.resolve("/shared/budget", { use: { value: 85 } }, { by: "ada", reason: "split the difference" })
await merge.finish({ actor: "ada" })
console.log("merged:", (await state.read()).shared)

// The plan that was not taken stays to be looked at, by its name, after its branch is gone.
await train.tag("plan-b")
await state.deleteBranch("by-train")
console.log("plan b:", (await state.read({ tag: "plan-b" })).shared)
console.log((await state.history({ limit: 3 })).map(({ type, actor, reason }) => ({ type, actor, reason })))
