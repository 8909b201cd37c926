import { expect, test } from "vitest"
import type { Event } from "../../src/index.ts"
import { testLog } from "../log/test-log.ts"
import { rowsFoldedBy } from "./model/cuts.ts"

const log = testLog()

test("a merge is folded in one batch with all that was decided about it as it is event by event", async () => {
  const state = log.engine.state("merging")
  await state.update({ shared: { plan: "x", goal: "x" } })
  await state.branch("other")
  for (const [branch, value] of [
    ["main", "mine"],
    ["other", "theirs"]
  ] as const)
    await state.on(branch).update({ shared: { plan: value, goal: value } })
  const merge = await state.merge("other")
  await merge.resolve("/shared/plan", { use: "theirs" })
  await merge.resolve("/shared/goal", { use: "ours" })
  await merge.finish()
  const events: Array<Event> = []
  for await (const event of log.engine.replay({})) events.push(event)
  const [one, many] = [
    await rowsFoldedBy(log.db, events, "one", [1]),
    await rowsFoldedBy(log.db, events, "many", [events.length])
  ]
  expect(many).toEqual(one)
  expect(one.find(([table]) => table === "state_merges")![1]).toEqual([
    expect.stringContaining('"status": "merged"')
  ])
})
