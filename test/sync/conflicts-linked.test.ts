import { expect, test } from "vitest"
import { testLog } from "../log/test-log.ts"
import { until } from "../support/eventually.ts"

// What a link leaves is in the inbox, and what is decided there goes on by the link.

const log = testLog()

test("a conflict of a link is decided in the inbox, and comes to all of its members", async () => {
  const group = ["linked-one", "linked-two", "linked-three"]
  const states = group.map((agent) => log.engine.state(agent))
  const modes = async () =>
    (await Promise.all(states.map((state) => state.read()))).map(({ shared }) => shared["mode"])
  for (const state of states) await state.update({ local: { own: true } })
  await states[0]!.update({ shared: { mode: "x" } })
  const link = await log.engine.link({ group, keys: ["/shared/**"] })
  await until(async () => (await modes()).every((mode) => mode === "x"), { what: "all to have the same" })
  await link.pause()
  await states[0]!.update({ shared: { mode: "y" } }, { actor: "ann" })
  await states[1]!.update({ shared: { mode: "z" } }, { actor: "bob" })
  await link.resume()
  const [entry] = await until(async () => {
    const found = await log.engine.conflicts.list({ status: "open" })
    return found.length > 0 ? found : undefined
  })
  expect(entry).toMatchObject({ kind: "sync", path: "/shared/mode", conflict: { base: "x" } })
  expect(group).toContain(entry!.source)
  await log.engine.conflicts.resolve(entry!.id, { use: { value: "w" } }, { by: "eve" })
  await until(async () => (await modes()).every((mode) => mode === "w"), {
    what: "all to have what was decided"
  })
  expect(await log.engine.conflicts.list({ status: "open" })).toEqual([])
})

test("what the rule of a member decides on the way out goes back in, and closes what was told", async () => {
  await log.engine.defineState({
    agentType: "stubborn",
    rules: [{ path: "/shared/mode", strategy: "target_wins" }]
  })
  const states = ["ruled-one", "ruled-two"].map((agent) => log.engine.state(agent, { type: "stubborn" }))
  const [one, two] = states as [(typeof states)[0], (typeof states)[0]]
  const group = states.map(({ agent }) => agent)
  await one.update({ shared: { mode: "x" } })
  await two.update({ local: { own: true } })
  const link = await log.engine.link({ group, keys: ["/shared/**"] })
  await until(async () => (await two.read()).shared["mode"] === "x", { what: "both to have the same" })
  await link.pause()
  await one.update({ shared: { mode: "y" } })
  await two.update({ shared: { mode: "z" } })
  await link.resume()
  const modes = () => Promise.all(states.map(async (state) => (await state.read()).shared["mode"]))
  await until(
    async () => {
      const [first, second] = await modes()
      return first !== "x" && first === second
    },
    { what: "both to have what one of them insists on" }
  )
  await until(async () => (await log.engine.conflicts.list({ agent: link.hub, status: "open" })).length === 0)
})
