import { expect, test } from "vitest"
import { testLog } from "../log/test-log.ts"

const log = testLog()

test("passes on what was removed before whoever passes it on has had it", async () => {
  const [a, b, c] = ["passing-a", "passing-b", "passing-c"].map((name) => log.engine.state(name))
  const bring = (from: typeof a, to: typeof a) =>
    log.engine.sync({ from: from!.agent, to: [to!.agent], keys: ["/shared/**"] })
  await a!.update({ shared: { plan: 1, other: 1 } })
  for (const state of [b!, c!]) await state.update({ local: { made: true } })
  await bring(a, b)
  await b!.update({ shared: { plan: null } })
  await bring(b, c)
  await bring(c, a)
  expect((await a!.read()).shared).toEqual({ other: 1 })
  // Also by another engine, which has nothing of it in memory, before and after that is folded.
  const stranger = await log.open()
  await a!.update({ shared: { plan: 2 } })
  await bring(a, b)
  await b!.update({ shared: { plan: null } })
  const d = log.engine.state("passing-d")
  await d.update({ local: { made: true } })
  await bring(b, d)
  await stranger.sync({ from: d.agent, to: [a!.agent], keys: ["/shared/**"] })
  expect((await a!.read()).shared).toEqual({ other: 1 })
})
