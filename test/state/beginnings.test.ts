import { beforeAll, describe, expect, test } from "vitest"
import { UnknownBranch } from "../../src/errors.ts"
import type { EngineState } from "../../src/state.ts"
import { testLog } from "../log/test-log.ts"

const log = testLog()

describe("a new agent begins with what its type has, whatever is done first", () => {
  beforeAll(async () => {
    const template = { persistent: { skills: ["read"] }, session: { greeting: "hello" } }
    await log.engine.defineState({ agentType: "novice", template })
  })

  test.each<readonly [string, (state: EngineState) => Promise<unknown>, object]>([
    ["update", (state) => state.update({ local: { n: 1 } }), { greeting: "hello" }],
    ["commit", (state) => state.commit("nothing yet"), { greeting: "hello" }],
    ["checkpoint", (state) => state.checkpoint(), { greeting: "hello" }],
    // A session begins with an empty tier.
    ["startSession", (state) => state.startSession("s"), {}]
  ])("%s", async (method, first, session) => {
    const state = log.engine.state(`novice-${method}`, { type: "novice" })
    await first(state)
    expect(await state.read()).toMatchObject({ persistent: { skills: ["read"] }, session })
    expect(await state.verify()).toMatchObject({ isSound: true })
  })
})

describe("the end of a session that nobody has begun", () => {
  test("does nothing to an agent that is not there", async () => {
    const state = log.engine.state("nobody")
    const before = await log.db.query("select count(*) from tidemark.log_events")
    expect(await state.endSession()).toMatchObject({ version: 0, changed: [] })
    expect(await log.db.query("select count(*) from tidemark.log_events")).toEqual(before)
    expect(await state.read()).toMatchObject({ version: 0 })
    expect(await state.update({ local: { n: 1 } })).toMatchObject({ version: 2 })
    expect(await state.endSession()).toMatchObject({ version: 2, changed: [] })
  })

  test("says that a branch is not there", async () => {
    await expect(log.engine.state("nobody", { branch: "none" }).endSession()).rejects.toBeInstanceOf(
      UnknownBranch
    )
  })
})
