import { describe, expect, test } from "vitest"
import { InvalidArgument } from "../../src/index.ts"
import {
  BranchExists,
  CheckpointExpired,
  UnknownBranch,
  UnknownCheckpoint,
  UnknownRef
} from "../../src/state.ts"
import { until } from "../support/eventually.ts"
import { testLog } from "../log/test-log.ts"

// What concerns the states of several agents at once.

const log = testLog()

const countOf = async (agent: string): Promise<unknown> => (await log.engine.state(agent).read()).shared["n"]

describe("a checkpoint of several agents", () => {
  test("restores them together, each on its branch, from any engine", async () => {
    const [one, two] = [log.engine.state("pair-1"), log.engine.state("pair-2")]
    await one.update({ shared: { n: 1 } })
    await two.update({ shared: { n: 1 } })
    await two.branch("plan")
    await two.on("plan").update({ shared: { n: 2 } })
    const checkpoint = await log.engine.checkpoint({
      agents: ["pair-1", { agent: "pair-2", branch: "plan" }, "pair-3"],
      type: "deploy",
      actor: "ops"
    })
    expect(checkpoint).toMatchObject({
      type: "deploy",
      parts: [
        { agent: "pair-1", branch: "main" },
        { agent: "pair-2", branch: "plan" },
        { agent: "pair-3", branch: "main" }
      ]
    })
    await one.update({ shared: { n: 5, more: true } })
    await two.on("plan").update({ shared: { n: 6 } })
    await log.engine.state("pair-3").update({ shared: { n: 7 } })
    const restored = await (await log.open()).restore(checkpoint, { actor: "ops" })
    expect(restored.map(({ agent, branch }) => [agent, branch])).toEqual([
      ["pair-1", "main"],
      ["pair-2", "plan"],
      ["pair-3", "main"]
    ])
    expect((await one.read()).shared).toEqual({ n: 1 })
    expect((await two.on("plan").read()).shared).toEqual({ n: 2 })
    expect((await two.read()).shared).toEqual({ n: 1 })
    expect((await log.engine.state("pair-3").read()).shared).toEqual({})
    expect(await log.engine.states.checkpoints({ agent: "pair-1" })).toMatchObject([
      { checkpoint: checkpoint.checkpoint, type: "deploy", createdBy: "ops" }
    ])
  })

  test("is of one moment, while all of them are written", async () => {
    const engines = [await log.open(), await log.open()]
    const [first, second] = engines.map((engine, at) => engine.state(`moment-${at}`))
    let isOver = false
    const writing = (async () => {
      for (let n = 1; !isOver; n++) {
        await first!.update({ shared: { n } })
        await second!.update({ shared: { n } })
      }
    })()
    await until(async () => Number((await countOf("moment-1")) ?? 0) >= 3)
    const checkpoints = []
    for (let made = 0; made < 15; made++)
      checkpoints.push(await log.engine.checkpoint({ agents: ["moment-1", "moment-0"] }))
    isOver = true
    await writing
    for (const checkpoint of checkpoints) {
      await log.engine.restore(checkpoint)
      const [ahead, behind] = [Number(await countOf("moment-0")), Number(await countOf("moment-1"))]
      expect([ahead, ahead - 1]).toContain(behind)
    }
  })

  test("is made and restored whole or not at all", async () => {
    const [one, two] = [log.engine.state("whole-1"), log.engine.state("whole-2")]
    await one.update({ shared: { n: 1 } })
    await two.update({ shared: { n: 1 } })
    await two.branch("gone")
    const checkpoint = await log.engine.checkpoint({
      agents: ["whole-1", { agent: "whole-2", branch: "gone" }]
    })
    await two.deleteBranch("gone")
    await one.update({ shared: { n: 2 } })
    const before = await one.read()
    await expect(log.engine.restore(checkpoint)).rejects.toBeInstanceOf(UnknownBranch)
    const agents = ["whole-1", { agent: "whole-2", branch: "gone" }]
    await expect(log.engine.checkpoint({ agents })).rejects.toBeInstanceOf(UnknownBranch)
    expect(await one.read()).toEqual(before)
    await expect(log.engine.checkpoint({ agents: [] })).rejects.toBeInstanceOf(InvalidArgument)
    await expect(log.engine.restore("01890a5d-ac96-774b-bcce-b302099a8057")).rejects.toBeInstanceOf(
      UnknownCheckpoint
    )
  })
})

describe("states are found by what they hold", () => {
  test("over agents, by objects, by elements of arrays, and in values too long for an index", async () => {
    const { engine } = log
    const long = "x".repeat(10_000)
    await engine.state("found-1").update({ shared: { goal: "x", tags: ["a", "b"] }, local: { n: 1 } })
    await engine.state("found-2").update({ shared: { goal: "x", at: { deep: { down: 7, more: 8 } } } })
    await engine.state("found-3").update({ shared: { goal: "y", note: { text: long, kind: "k" } } })
    await engine.state("found-3").branch("other")
    await engine
      .state("found-3")
      .on("other")
      .update({ shared: { goal: "x" } })
    const found = async (...given: Parameters<typeof engine.states.find>) =>
      (await engine.states.find(...given)).map(({ agent }) => agent)
    expect(await found({ shared: { goal: "x" } })).toEqual(["found-1", "found-2"])
    expect(await found({ shared: { goal: "x" }, local: { n: 1 } })).toEqual(["found-1"])
    expect(await found({ shared: { goal: "x" }, local: { n: 2 } })).toEqual([])
    expect(await found({ shared: { tags: ["b"] } })).toEqual(["found-1"])
    expect(await found({ shared: { at: { deep: { down: 7 } } } })).toEqual(["found-2"])
    expect(await found({ shared: { note: { kind: "k" } } })).toEqual(["found-3"])
    expect(await found({ shared: { note: { text: long } } })).toEqual(["found-3"])
    expect(await found({ shared: { goal: "x" } }, { limit: 1 })).toEqual(["found-1"])
    expect(await found({ shared: { goal: "x" } }, { limit: 1, after: "found-1" })).toEqual(["found-2"])
    await engine.state("found-1").update({ shared: { goal: null } })
    expect(await found({ shared: { goal: "x" } })).toEqual(["found-2"])
  })

  test("where there are many", async () => {
    const { engine } = log
    await Promise.all(
      Array.from({ length: 300 }, (_, at) => engine.state(`many-${at}`).update({ shared: { rank: at } }))
    )
    expect(await engine.states.find({ shared: { rank: 77 } })).toEqual([{ agent: "many-77" }])
  })
})

describe("what is over is swept", () => {
  test("by events, once, whichever engines do so at the same time", async () => {
    const { engine } = log
    const state = engine.state("swept-1")
    await state.update({ session: { before: true }, local: { stays: true } })
    await state.startSession("s-1", { ttlMs: 1 })
    await state.update({ session: { step: 1 } })
    const short = await state.checkpoint({ expiresAt: new Date(Date.now() + 1), retention: "short" })
    const lasting = await state.checkpoint()
    const engines = [engine, await log.open(), await log.open()]
    let swept = { sessions: 0, checkpoints: 0 }
    await until(async () => {
      for (const one of await Promise.all(engines.map(({ states }) => states.sweep())))
        swept = {
          sessions: swept.sessions + one.sessions,
          checkpoints: swept.checkpoints + one.checkpoints
        }
      return swept.sessions > 0 && swept.checkpoints > 0
    })
    expect(swept).toEqual({ sessions: 1, checkpoints: 1 })
    expect(await state.read()).toMatchObject({ session: {}, local: { stays: true } })
    expect((await state.checkpoints()).map(({ checkpoint }) => checkpoint)).toEqual([lasting.checkpoint])
    expect(await state.checkpoints({ dropped: true })).toHaveLength(2)
    await expect(state.restore(short)).rejects.toBeInstanceOf(CheckpointExpired)
    const ended = (await state.history()).filter(({ reason }) => reason === "it expired")
    expect(ended.map(({ type }) => type).toSorted()).toEqual(["StateCheckpointDropped", "StateSessionEnded"])
  })

  test("an expired checkpoint is refused before anybody has swept it", async () => {
    const state = log.engine.state("swept-2")
    await state.update({ local: { n: 1 } })
    const over = await state.checkpoint({ expiresAt: new Date(Date.now() - 1) })
    await state.update({ local: { n: 2 } })
    await expect(state.restore(over)).rejects.toBeInstanceOf(CheckpointExpired)
    expect((await state.read()).local).toEqual({ n: 2 })
  })
})

test("what is asked of a state that is not so is refused by name, and the state is untouched", async () => {
  const state = log.engine.state("bad-1")
  await state.update({ shared: { n: 1 } })
  await state.branch("there")
  const before = await state.read()
  await expect(state.branch("there")).rejects.toBeInstanceOf(BranchExists)
  const other = await log.db.fresh()
  const elsewhere = await log.open({ database: other })
  const { token } = await elsewhere.state("bad-1").update({ shared: { n: 1 } })
  await expect(state.update({ shared: { n: 2 } }, { base: token })).rejects.toBeInstanceOf(UnknownRef)
  expect(await state.read()).toEqual(before)
})
