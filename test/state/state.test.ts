import { describe, expect, test } from "vitest"
import { testLog } from "../log/test-log.ts"

const log = testLog()

describe("a state", () => {
  test("that nobody wrote is empty, and is there from its first update on", async () => {
    const state = log.engine.state("new-1")
    expect(await state.read()).toMatchObject({
      version: 0,
      local: {},
      shared: {},
      session: {},
      persistent: {}
    })
    const written = await state.update({ local: { mood: "calm" }, shared: { plan: ["a"] } }, { actor: "me" })
    expect(written).toMatchObject({ version: 2, changed: ["/local/mood", "/shared/plan"] })
    const read = await state.read()
    expect(read).toMatchObject({ version: 2, local: { mood: "calm" }, shared: { plan: ["a"] } })
    expect(read.hash).toBe(written.hash)
  })

  test("is read strongly by another engine", async () => {
    const state = log.engine.state("new-2")
    const other = (await log.open()).state("new-2")
    for (let n = 1; n <= 20; n++) {
      await state.update({ local: { n } })
      expect((await other.read()).local).toEqual({ n })
    }
    await other.update({ local: { m: 1 } })
    expect((await state.read()).local).toEqual({ n: 20, m: 1 })
  })

  test("has branches that never see each other's writes", async () => {
    const state = log.engine.state("new-3")
    await state.update({ shared: { plan: ["a"], goal: "x" } })
    await state.branch("one")
    await state.branch("two")
    const [one, two] = [state.on("one"), state.on("two")]
    await Promise.all([
      one.update({ shared: { plan: ["1"] } }),
      two.update({ shared: { plan: ["2"] } }),
      state.update({ shared: { goal: null } })
    ])
    const fresh = await log.open()
    for (const engine of [log.engine, fresh]) {
      const of = engine.state("new-3")
      expect((await of.read()).shared).toEqual({ plan: ["a"] })
      expect((await of.on("one").read()).shared).toEqual({ plan: ["1"], goal: "x" })
      expect((await of.on("two").read()).shared).toEqual({ plan: ["2"], goal: "x" })
    }
  })
})
