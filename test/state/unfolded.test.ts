import { afterEach, describe, expect, test } from "vitest"
import type { Session } from "../log/test-log.ts"
import { testLog, upTo } from "../log/test-log.ts"
import { folded } from "./folded.ts"

// What the read model has not followed yet is read from the log, whichever keys somebody asks for.

const log = testLog()
let made = 0
let holder: Session | undefined

/** From here on nothing is folded. */
const held = async () => {
  await folded(log)
  holder = await log.session()
  await holder.query("begin; select from projections where name = 'states' for update")
}

/** A state of which the last changes are in the log alone: each is of several keys. */
const unfolded = async () => {
  const state = log.engine.state(`unfolded-${(made += 1)}`)
  await state.update({ local: { first: 0, kept: 1 }, shared: { kept: 1 } })
  await held()
  await state.update({ local: { a: { b: 1 }, first: 1 }, shared: { c: [1] } })
  await state.update({ local: { a: { d: 2 } }, shared: { c: [1, 2], kept: null } })
  return state
}

afterEach(async () => {
  await holder?.query("rollback")
  holder = undefined
})

const values = { local: { first: 1, kept: 1, a: { b: 1, d: 2 } }, shared: { c: [1, 2] } }

test("a state is restored to a version of another branch as that is in the log", async () => {
  const state = log.engine.state("crossing")
  await state.update({ local: { a: 1 } })
  await state.branch("other")
  await held()
  const { token } = await state.on("other").update({ shared: { b: 1 } })
  expect((await state.restore({ token })).changed).toEqual(["/shared/b"])
  expect(await state.read()).toMatchObject({ local: { a: 1 }, shared: { b: 1 } })
})

test("a checkpoint that was dropped is not restored, though the read model has it still", async () => {
  const state = log.engine.state("dropped")
  await state.update({ local: { a: 1 } })
  const { checkpoint } = await state.checkpoint()
  await held()
  await state.dropCheckpoint(checkpoint)
  for (const engine of [log.engine, await log.open()])
    for (const restore of [
      () => engine.restore(checkpoint),
      () => engine.state("dropped").restore(checkpoint)
    ])
      await expect(restore()).rejects.toThrow(/it was deleted/)
})

test("nor one of a branch that was deleted, whose end main has told", async () => {
  const state = log.engine.state("dropped-on-main")
  await state.update({ local: { a: 1 } })
  await state.branch("side")
  const { checkpoint } = await state.on("side").checkpoint()
  await state.deleteBranch("side")
  await held()
  await state.dropCheckpoint(checkpoint)
  await state.dropCheckpoint(checkpoint)
  expect((await state.read()).version).toBe(3)
  await expect(state.restore(checkpoint)).rejects.toThrow(/it was deleted/)
})

describe("a state that is not folded to its end, by an engine that knows nothing of it,", () => {
  test("is read as it is, whatever is asked for", async () => {
    const { agent } = await unfolded()
    const reading = async (options: object) => (await log.open()).state(agent).read(options)
    expect(await reading({})).toMatchObject(values)
    expect(await reading({ tiers: ["shared"] })).toMatchObject({ shared: values.shared })
    expect((await reading({ tiers: ["shared"] })).shared).toEqual(values.shared)
    expect((await reading({ tiers: ["local"] })).local).toEqual(values.local)
    expect((await reading({ paths: ["/local/a"] })).local).toEqual({ a: values.local.a })
    expect((await reading({ paths: ["/shared/kept"] })).shared).toEqual({})
  })

  test("is read as it was at each version", async () => {
    const { agent } = await unfolded()
    const state = (await log.open()).state(agent)
    const locals = [{}, { first: 0, kept: 1 }, { first: 1, kept: 1, a: { b: 1 } }, values.local]
    for (const version of upTo(4)) {
      expect((await state.read({ version })).local).toEqual(locals[version - 1])
      expect((await state.read({ version, tiers: ["local"] })).local).toEqual(locals[version - 1])
    }
  })

  test("is written by key, and stays sound", async () => {
    const { agent } = await unfolded()
    const state = (await log.open()).state(agent)
    await state.update({ local: { a: { e: 3 } } })
    await state.update({ shared: { c: null } })
    expect(await state.verify()).toMatchObject({ isSound: true })
    expect(await state.read()).toMatchObject({ local: { a: { b: 1, d: 2, e: 3 } }, shared: {} })
  })

  test("is branched, and the branch is written by key", async () => {
    const { agent } = await unfolded()
    const engine = await log.open()
    await engine.state(agent).branch("one")
    await engine.state(agent).branch("two", { at: 4 })
    for (const name of ["one", "two"]) {
      const branch = engine.state(agent, { branch: name })
      await branch.update({ local: { a: { e: 3 } } })
      expect(await branch.verify()).toMatchObject({ isSound: true })
      expect((await branch.read()).local).toEqual({ ...values.local, a: { b: 1, d: 2, e: 3 } })
    }
  })
})
