import { expect, test } from "vitest"
import { testLog } from "../log/test-log.ts"

// Whoever decides to leave a key as it is changes nothing, and yet others are to hear of it.

const log = testLog()

const KEYS = { keys: ["/shared/mode"] }

const modeOf = async (agent: string): Promise<unknown> =>
  (await log.engine.state(agent).read({ tiers: ["shared"] })).shared["mode"]

/** Brings the key from one to another, and leaves it there as it is, where both contradict each other. */
const kept = async (from: string, to: string): Promise<void> => {
  const { targets } = await log.engine.sync({ from, to: [to], ...KEYS })
  expect(targets[0]).toMatchObject({ status: "conflicts" })
  await log.engine.conflicts.resolve(targets[0]!.conflicts[0]!.id!, { use: "ours" }, { by: "eve" })
}

const brought = async (from: string, to: string): Promise<string> =>
  (await log.engine.sync({ from, to: [to], ...KEYS })).targets[0]!.status

test("who decides later, knowing of the decision before, by way of another, is not contradicted by it", async () => {
  const [a, b, between] = ["heard-a", "heard-b", "heard-between"] as const
  await log.engine.state(a).update({ shared: { mode: "a" } })
  await log.engine.state(b).update({ shared: { mode: "b" } })
  await log.engine.state(between).update({ local: { name: between } })
  expect(await brought(b, between)).toBe("synced")
  await kept(a, b)
  // Nothing changes there, but that b was decided about.
  expect(await brought(b, between)).toBe("up_to_date")
  await log.engine.state(a).update({ shared: { mode: "a again" } })
  await kept(between, a)
  expect(await brought(a, b)).toBe("synced")
  expect(await Promise.all([a, b].map(modeOf))).toEqual(["a again", "a again"])
})
