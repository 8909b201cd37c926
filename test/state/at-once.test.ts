import { describe, expect, test } from "vitest"
import type { Engine } from "../../src/index.ts"
import { testLog, upTo } from "../log/test-log.ts"

type State = ReturnType<Engine["state"]>

const log = testLog()

let made = 0
const fresh = async () => {
  const state = log.engine.state(`at-once-${(made += 1)}`)
  await state.update({ local: { n: 0 }, shared: { list: {} } })
  return state
}

/** Writes to a branch, one key after the other, until what goes on at the same time is over. */
const writtenDuring = async (state: State, others: ReadonlyArray<Promise<unknown>>) => {
  let isOver = false
  const over = Promise.all(others).finally(() => (isOver = true))
  const keys: Array<string> = []
  while (!isOver) {
    const key = `w${crypto.randomUUID().slice(0, 8)}`
    await state.update({ shared: { list: { [key]: true } } })
    keys.push(key)
  }
  await over
  return keys
}

const sound = { isSound: true, stale: [] }

describe("at the same time, in one engine,", () => {
  test("a branch begins with the version that it says, whatever is written to its parent", async () => {
    const state = await fresh()
    const names = upTo(10).map((n) => `b${n}`)
    await writtenDuring(
      state,
      names.map((name) => state.branch(name))
    )
    for (const name of names) {
      const branch = state.on(name)
      const read = await branch.read()
      const [made] = await branch.history({ limit: 1 })
      const { version } = made!.source!
      expect(read.shared).toEqual((await state.read({ version })).shared)
      await branch.update({ shared: { list: { own: name } } })
      expect(await branch.verify()).toMatchObject(sound)
    }
  })

  test("a merge takes of its source all that it says, whatever is written to that", async () => {
    const state = await fresh()
    await state.branch("source")
    const source = state.on("source")
    for (const _ of upTo(3)) await writtenDuring(source, [state.merge("source")])
    await state.merge("source")
    expect((await state.read()).shared).toEqual((await source.read()).shared)
  })

  test("a merge that is finished keeps what is written to its target", async () => {
    const state = await fresh()
    await state.branch("source")
    const source = state.on("source")
    const wanted: Array<string> = []
    for (const n of upTo(3)) {
      await source.update({ shared: { list: { [`s${n}`]: true } } })
      const merge = await state.merge("source", { mode: "manual" })
      wanted.push(`s${n}`, ...(await writtenDuring(state, [merge.finish()])))
      expect(Object.keys((await state.read()).shared["list"] as object).toSorted()).toEqual(wanted.toSorted())
    }
    expect(await state.verify()).toMatchObject(sound)
  })

  test("several agents are restored to where they were, whatever is written to one of them", async () => {
    const [one, two] = [await fresh(), await fresh()]
    const point = await log.engine.checkpoint({ agents: [one.agent, two.agent] })
    for (const _ of upTo(3)) {
      await writtenDuring(one, [log.engine.restore(point)])
      for (const state of [one, two]) {
        const restored = (await state.history({ limit: 1_000 })).find(({ type }) => type === "StateRestored")
        expect((await state.read({ version: restored!.version })).shared).toEqual({ list: {} })
        expect(await state.verify()).toMatchObject(sound)
      }
    }
  })
})

describe("at the same time, in two engines,", () => {
  test("an update to what a value was before is made, though another engine has changed it since", async () => {
    const state = await fresh()
    const other = (await log.open()).state(state.agent)
    for (const n of upTo(5)) {
      await state.update({ local: { n } })
      await other.update({ local: { n: -n } })
      await state.update({ local: { n } })
      expect((await other.read()).local).toEqual({ n })
    }
  })

  test("a branch that is deleted and made again is what its last beginning says", async () => {
    const state = await fresh()
    const other = (await log.open()).state(state.agent)
    await state.branch("again")
    const again = state.on("again")
    for (const n of upTo(6)) {
      await state.deleteBranch("again")
      await state.update({ local: { n } })
      await Promise.all([
        other.branch("again").then(() => other.on("again").update({ local: { own: n } })),
        ...upTo(10).map(() => again.read().catch(() => undefined)),
        ...upTo(3).map((m) => again.update({ shared: { [`m${m}`]: n } }).catch(() => undefined))
      ])
      const [known, { local, shared }] = [await again.read(), await other.on("again").read()]
      expect(known).toMatchObject({ local, shared })
      expect(local).toEqual({ n, own: n })
      expect(await again.verify()).toMatchObject(sound)
    }
  })
})
