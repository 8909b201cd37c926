import { describe, expect, test } from "vitest"
import { StateCorrupt } from "../../src/errors.ts"
import { testLog } from "../log/test-log.ts"
import { until } from "../support/eventually.ts"
import { damageEvent, rebuiltAlike } from "./damage.ts"

// What goes on from a repair: the read model, other engines, and what is rebuilt.

const log = testLog()

let made = 0
const fresh = () => log.engine.state(`repair-${(made += 1)}`)
type State = ReturnType<typeof fresh>

const counted = async (upTo = 5) => {
  const state = fresh()
  for (let n = 1; n <= upTo; n++) await state.update({ local: { n } })
  return state
}

/** What is kept ready of a key is not what the log says any more. */
const damageKey = ({ agent }: State) =>
  log.db.query(
    "update tidemark.state_keys set value = '77' where key = 'n' and branch = (select branch from tidemark.state_branches where agent = $1 and name = 'main')",
    [agent]
  )

describe("a repair of what is kept ready", () => {
  test("leaves checkpoints as they were, those of several branches, too", async () => {
    const [state, other] = [await counted(1), await counted(1)]
    const one = await state.checkpoint({ description: "one" })
    const both = await log.engine.checkpoint({ agents: [state.agent, other.agent] })
    const dropped = await state.checkpoint()
    await state.dropCheckpoint(dropped.checkpoint)
    const rows = () =>
      log.db.query(
        "select * from tidemark.state_checkpoints where agent_id in ($1, $2) order by id, agent_id",
        [state.agent, other.agent]
      )
    await log.engine.states.checkpoints({ agent: state.agent })
    const before = await rows()
    await damageKey(state)
    expect(await state.repair()).toMatchObject({ isSound: true, stale: [] })
    expect(await rows()).toEqual(before)
    await state.update({ local: { n: 2 } })
    await state.restore(one)
    expect((await state.read()).local).toEqual({ n: 1 })
    await state.restore(both)
    await rebuiltAlike(log)
  })

  test("of a branch begins with what its parent had", async () => {
    const state = await counted(1)
    await state.branch("side")
    const side = state.on("side")
    await side.update({ local: { n: 2, m: 1 } })
    await log.engine.states.branches({ agent: state.agent })
    await log.db.query(
      "update tidemark.state_keys set value = '77' where key = 'm' and branch = (select branch from tidemark.state_branches where agent = $1 and name = 'side')",
      [state.agent]
    )
    expect(await side.repair()).toMatchObject({ isSound: true, stale: [] })
    expect((await side.read()).local).toEqual({ n: 2, m: 1 })
    await rebuiltAlike(log)
  })
})

describe("another engine", () => {
  test("that has read on past the damage goes on from the last good version", async () => {
    const state = await counted()
    const { agent } = state
    const elsewhere = (await log.open()).state(agent)
    expect((await elsewhere.read()).local).toEqual({ n: 5 })
    await damageEvent(log, state, 4)
    expect(await state.repair()).toMatchObject({ isSound: true, repairedAt: 7, lastGood: 7 })
    const { hash } = await state.read()
    expect(await elsewhere.read()).toMatchObject({ version: 7, local: { n: 2 }, hash })
    await elsewhere.update({ local: { m: 1 } })
    expect((await state.read()).local).toEqual({ n: 2, m: 1 })
    expect(await state.verify()).toMatchObject({ isSound: true, version: 8 })
  })

  test("whose update is the first to hear of a repair makes it of the last good version", async () => {
    const state = await counted()
    const elsewhere = (await log.open()).state(state.agent)
    await elsewhere.read()
    await damageEvent(log, state, 4)
    await state.repair()
    await elsewhere.update({ local: { m: 1 } })
    expect((await elsewhere.read()).local).toEqual({ n: 2, m: 1 })
    expect(await state.verify()).toMatchObject({ isSound: true, version: 8 })
  })

  test("waits until a repair is folded", async () => {
    const state = await counted()
    const [knows, loads] = [await log.open(), await log.open()].map((engine) => engine.state(state.agent))
    await knows!.read()
    await log.engine.states.branches({ agent: state.agent })
    await damageEvent(log, state, 4)
    const session = await log.session()
    await session.query("begin; select from projections where name = 'states' for update")
    const repaired = state.repair()
    const stream = `state-main@${state.agent}`
    await until(
      () =>
        log.db
          .query("select from tidemark.events where stream = $1 and version = 7", [stream])
          .then(({ length }) => length === 1),
      { what: "the repair in the log" }
    )
    const reads = Promise.all([knows!.read(), loads!.read()])
    await session.query("rollback")
    for (const { local } of await reads) expect(local).toEqual({ n: 2 })
    expect(await repaired).toMatchObject({ isSound: true })
  })
})

describe("a repair of what was damaged after it was folded", () => {
  test("passes over the versions since, as one that is rebuilt does", async () => {
    const state = await counted()
    const before = await state.read()
    await log.engine.states.branches({ agent: state.agent })
    await damageEvent(log, state, 4)
    expect(await state.repair()).toMatchObject({ isSound: true, repairedAt: 7 })
    for (const version of [4, 5, 6])
      await expect(state.read({ version })).rejects.toMatchObject({ name: "StateCorrupt", lastGood: 3 })
    await expect(state.read({ token: before.token })).rejects.toBeInstanceOf(StateCorrupt)
    expect((await state.read({ version: 3 })).local).toEqual({ n: 2 })
    await rebuiltAlike(log)
  })

  test("is followed by another, of what came later, or of what came before", async () => {
    const state = await counted()
    await log.engine.states.branches({ agent: state.agent })
    await damageEvent(log, state, 4)
    await state.repair()
    await state.update({ local: { n: 8 } })
    await state.update({ local: { n: 9 } })
    await damageEvent(log, state, 9)
    expect(await state.repair()).toMatchObject({ isSound: true, repairedAt: 10 })
    expect((await state.read()).local).toEqual({ n: 8 })
    await rebuiltAlike(log)
    await damageEvent(log, state, 3)
    expect(await state.repair()).toMatchObject({ isSound: true, repairedAt: 11 })
    expect((await state.read()).local).toEqual({ n: 1 })
    await state.update({ local: { n: 12 } })
    expect(await state.verify()).toMatchObject({ isSound: true, version: 12 })
    await rebuiltAlike(log)
    expect((await state.read()).local).toEqual({ n: 12 })
  })

  test("lets go of checkpoints and merges that do not count any more: what was merged can be merged again", async () => {
    const state = await counted(2)
    await state.branch("side")
    await state.on("side").update({ shared: { plan: "a" } })
    const kept = await state.checkpoint()
    await state.update({ local: { n: 3 } })
    await state.merge("side")
    await state.checkpoint()
    await state.dropCheckpoint(kept.checkpoint)
    await log.engine.states.branches({ agent: state.agent })
    await damageEvent(log, state, 5)
    expect(await state.repair()).toMatchObject({ isSound: true })
    expect((await state.read()).shared).toEqual({})
    await rebuiltAlike(log)
    await state.merge("side")
    expect((await state.read()).shared).toEqual({ plan: "a" })
    await rebuiltAlike(log)
  })

  test("is asked for where only what is kept ready is at fault", async () => {
    const state = await counted()
    await log.engine.states.branches({ agent: state.agent })
    await log.db.query(
      `update tidemark.state_branches set faults =
         '[{"version": 6, "position": 6, "detail": "none", "good": 5, "repaired": null}]' where agent = $1`,
      [state.agent]
    )
    const other = (await log.open()).state(state.agent)
    expect(await other.verify()).toMatchObject({ isSound: false, damaged: undefined, lastGood: 6 })
    expect(await other.repair()).toMatchObject({ isSound: true, repairedAt: 7 })
    expect((await other.read()).local).toEqual({ n: 5 })
    await rebuiltAlike(log)
  })
})

test("a branch that began with a damaged version names the branch that is damaged", async () => {
  const state = await counted()
  await state.branch("side")
  const side = state.on("side")
  await side.branch("deeper")
  await log.engine.states.branches({ agent: state.agent })
  await damageEvent(log, state, 4)
  expect(await side.verify()).toMatchObject({
    isSound: false,
    damaged: { version: 1, detail: expect.stringContaining("main") },
    lastGood: 0
  })
  for (const one of [side, side.on("deeper")])
    await expect(one.repair()).rejects.toMatchObject({
      name: "ParentCorrupt",
      parent: "main",
      version: 4,
      lastGood: 3
    })
})
