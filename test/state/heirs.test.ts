import { describe, expect, test } from "vitest"
import { testLog, upTo } from "../log/test-log.ts"
import { damageEvent, rebuiltAlike } from "./damage.ts"

// What becomes of branches that began with versions which do not count any more, and of branches with sessions.

const log = testLog()

let made = 0
const fresh = () => log.engine.state(`heirs-${(made += 1)}`)
type State = ReturnType<typeof fresh>

const counted = async (to = 5) => {
  const state = fresh()
  for (const n of upTo(to)) await state.update({ local: { n } })
  return state
}

/** Looks at what is folded, once that is all there is. */
const branches = ({ agent }: State) => log.engine.states.branches({ agent })

/** Damages what was folded before. */
const damage = async (state: State, version: number, branch?: string) => {
  await branches(state)
  await damageEvent(log, state, version, branch)
}

/** Fails as what is damaged from its beginning on. */
const isDamaged = async (one: State) => {
  const damaged = { name: "StateCorrupt", version: 1, lastGood: 0, detail: expect.stringContaining('"main"') }
  await expect(one.read()).rejects.toMatchObject(damaged)
  await expect(one.update({ local: { m: 7 } })).rejects.toMatchObject(damaged)
  await expect(one.repair()).rejects.toMatchObject({ name: "ParentCorrupt", parent: "main" })
}

describe("when a branch is repaired, what began with a version that does not count any more", () => {
  test("is damaged, here and for engines that know it, with all that began with that; what began before is not", async () => {
    const state = await counted(2)
    await state.branch("before")
    await state.update({ local: { n: 3 } })
    await state.branch("side")
    const [before, side] = [state.on("before"), state.on("side")]
    await side.update({ local: { m: 1 }, shared: { plan: "a" } })
    await side.checkpoint()
    await side.branch("deeper")
    await side.on("deeper").update({ local: { m: 2 } })
    const elsewhere = (await log.open()).state(state.agent)
    for (const name of ["side", "deeper"]) await elsewhere.on(name).read()
    await damage(state, 4)
    expect(await state.repair()).toMatchObject({ isSound: true, repairedAt: 5, lastGood: 5 })
    for (const name of ["side", "deeper"]) {
      await isDamaged(elsewhere.on(name))
      await isDamaged(state.on(name))
    }
    expect((await before.read()).local).toEqual({ n: 2 })
    expect(await before.verify()).toMatchObject({ isSound: true })
    await rebuiltAlike(log)
    await isDamaged(side)
    expect((await state.read()).local).toEqual({ n: 2 })
  })

  test("has nothing left of what it had from there: no session, and nothing merged", async () => {
    const state = await counted(2)
    await state.branch("third")
    await state.on("third").update({ shared: { plan: "a" } })
    await state.startSession("kept")
    await state.update({ local: { n: 3 } })
    await state.startSession("passed over")
    await state.merge("third")
    await state.branch("side")
    await state.on("side").branch("deeper")
    await damage(state, 5)
    expect(await state.repair()).toMatchObject({ isSound: true, lastGood: expect.any(Number) })
    for (const name of ["side", "deeper"]) await isDamaged(state.on(name))
    expect((await branches(state)).map(({ branch, session }) => [branch, session])).toEqual(
      expect.arrayContaining([
        ["main", "kept"],
        ["side", "kept"],
        ["deeper", "kept"]
      ])
    )
    await rebuiltAlike(log)
  })

  test("is damaged also where it begins while that is being repaired", async () => {
    const state = await counted(3)
    await damage(state, 4)
    const session = await log.session()
    await session.query("begin; select from projections where name = 'states' for update")
    const elsewhere = (await log.open()).state(state.agent)
    await elsewhere.branch("side")
    const side = elsewhere.on("side")
    await side.update({ local: { m: 1 } })
    const repaired = state.repair()
    await session.query("rollback")
    expect(await repaired).toMatchObject({ isSound: true })
    await isDamaged(side)
    await isDamaged(state.on("side"))
  })

  test("is damaged where it is folded after the damage, too", async () => {
    const state = await counted(3)
    await state.branch("side")
    await state.on("side").update({ local: { m: 1 } })
    await state.on("side").branch("deeper")
    await damage(state, 3)
    await log.engine.rebuild("states")
    const elsewhere = (await log.open()).state(state.agent)
    for (const name of ["side", "deeper"]) await isDamaged(elsewhere.on(name))
    expect(await state.repair()).toMatchObject({ isSound: true })
    for (const name of ["side", "deeper"]) await isDamaged(state.on(name))
    await rebuiltAlike(log)
  })

  test("can be deleted, and made anew under its name", async () => {
    const state = await counted(3)
    await state.branch("side")
    const side = state.on("side")
    await side.update({ local: { m: 1 } })
    await damage(state, 4)
    await state.repair()
    await isDamaged(side)
    await state.deleteBranch("side")
    await expect(side.read()).rejects.toMatchObject({ name: "UnknownBranch" })
    await expect(state.deleteBranch("side")).rejects.toMatchObject({ name: "UnknownBranch" })
    expect((await branches(state)).map(({ branch }) => branch)).toEqual(["main"])
    await rebuiltAlike(log)
    await expect(side.update({ local: { m: 1 } })).rejects.toMatchObject({ name: "UnknownBranch" })
    await state.branch("side")
    await side.update({ local: { m: 3 } })
    expect((await side.read()).local).toEqual({ n: 2, m: 3 })
    expect(await side.verify()).toMatchObject({ isSound: true })
    await rebuiltAlike(log)
    expect((await (await log.open()).state(state.agent).on("side").read()).local).toEqual({ n: 2, m: 3 })
  })

  test("stays damaged by a repair of its own from before", async () => {
    const state = await counted(3)
    await state.branch("side")
    const side = state.on("side")
    for (const m of upTo(3)) await side.update({ local: { m } })
    await damage(state, 3, "side")
    expect(await side.repair()).toMatchObject({ isSound: true })
    await side.update({ local: { m: 9 } })
    await damage(state, 3)
    await state.repair()
    await isDamaged(side)
    await rebuiltAlike(log)
    await isDamaged(side)
  })
})

test("a branch that is written all the time by who does not know that it is damaged is repaired", async () => {
  const state = await counted(3)
  const elsewhere = await Promise.all(upTo(2).map(() => log.open()))
  for (const engine of elsewhere) await engine.state(state.agent).read()
  await damage(state, 3)
  let isRepaired = false
  const writers = elsewhere.map(async (engine) => {
    while (!isRepaired) await engine.state(state.agent).update({ shared: { at: Math.random() } })
  })
  const repaired = await state.repair()
  isRepaired = true
  await Promise.all(writers)
  expect(repaired.repairedAt).toBeGreaterThan(4)
  expect((await state.read()).local).toEqual({ n: 1 })
  expect(await state.verify()).toMatchObject({ isSound: true })
})

describe("a branch begins with the session that there was", () => {
  const sessions = async (state: State) =>
    Object.fromEntries((await branches(state)).map(({ branch, session }) => [branch, session]))

  test("at the version that it begins with, wherever that is read", async () => {
    const state = fresh()
    const none = await state.update({ local: { n: 1 } })
    await state.startSession("a")
    const a = await state.update({ session: { n: 1 } })
    await state.endSession()
    const ended = await state.update({ local: { n: 2 } })
    await state.startSession("b")
    for (const [name, { version }] of Object.entries({ none, a, ended }))
      await state.branch(name, { at: { version } })
    await state.branch("now")
    await state.on("a").branch("deeper")
    expect(await sessions(state)).toEqual({
      main: "b",
      none: null,
      a: "a",
      ended: null,
      now: "b",
      deeper: "a"
    })
    for (const name of ["a", "deeper"]) {
      await state.on(name).endSession()
      expect((await state.on(name).read()).session).toEqual({})
    }
    expect(await state.on("none").endSession()).toMatchObject({ version: 1 })
    await rebuiltAlike(log)
  })

  test("after a repair, too", async () => {
    const state = fresh()
    await state.startSession("a")
    await state.update({ session: { n: 1 } })
    await state.branch("side")
    const side = state.on("side")
    for (const m of upTo(3)) await side.update({ local: { m } })
    await side.startSession("b")
    await damage(state, 3, "side")
    expect(await side.repair()).toMatchObject({ isSound: true, lastGood: 6 })
    expect(await sessions(state)).toEqual({ main: "a", side: "a" })
    expect((await side.read()).session).toEqual({ n: 1 })
    await rebuiltAlike(log)
  })
})
