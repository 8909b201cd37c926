import { beforeEach, describe, expect, test } from "vitest"
import type { Engine } from "../../src/index.ts"
import { ProjectionBehind, UnknownRef } from "../../src/errors.ts"
import { testLog } from "../log/test-log.ts"

// The engine only follows read models, and nobody keeps them: what is kept ready of states stays where it was.

type State = ReturnType<Engine["state"]>

const log = testLog({ readModels: "follow" })

let made = 0
let state: State

/** A state of which the first two versions, and two of a branch, are kept ready, and nothing after that. */
beforeEach(async () => {
  const keeper = await log.open({ readModels: "keep" })
  const kept = keeper.state(`behind-${(made += 1)}`)
  await kept.update({ local: { n: 1 }, shared: { list: [] } })
  await kept.branch("try")
  await kept.on("try").update({ local: { own: 1 } })
  await kept.on("try").history()
  await keeper.close()
  state = log.engine.state(kept.agent)
})

/** The same state, as an engine sees it that knows nothing of it yet. */
const cold = async (): Promise<State> => (await log.open()).state(state.agent)

describe("where what is kept ready is far behind,", () => {
  test("a state is read as it is, and as it was at every version, commit, tag, position and token", async () => {
    const tokens: Array<string> = []
    for (let n = 2; n <= 6; n++) {
      const { token, version } = await state.update({ local: { n } })
      await state.patch([{ op: "add", path: "/shared/list/-", value: n }])
      const { position } = await log.engine.emit(log.stream(), { type: "Other" })
      const { commit } = await state.commit(`n is ${n}`)
      await state.tag(`t${n}`, { version })
      tokens.push(token)
      for (const one of [state, await cold()]) {
        const { hash } = await one.read()
        expect((await one.read()).local).toEqual({ n })
        for (const ref of [{ commit }, { position }, { version: version + 1 }])
          expect(await one.read(ref)).toMatchObject({ local: { n }, hash })
        for (const [at, old] of tokens.entries()) {
          const list = Array.from({ length: at }, (_, nth) => nth + 2)
          for (const ref of [{ token: old }, { tag: `t${at + 2}` }])
            expect(await one.read(ref)).toMatchObject({ local: { n: at + 2 }, shared: { list } })
        }
      }
    }
  })

  test("a change is merged with what came since its base", async () => {
    await state.update({ local: { n: 2 } })
    const { token } = await state.read()
    await (await cold()).update({ local: { m: 1 } })
    await state.update({ local: { n: 3 } }, { base: token })
    expect((await (await cold()).read()).local).toEqual({ n: 3, m: 1 })
  })

  test("a change that contradicts what came since its base is told, without who made that", async () => {
    await state.update({ local: { n: 2 } })
    const { token } = await state.read()
    await (await cold()).update({ local: { n: 3 } })
    const refused = state.update({ local: { n: 4 } }, { base: token })
    await expect(refused).rejects.toMatchObject({
      _tag: "StateConflict",
      conflicts: [{ path: "/local/n", base: 2, ours: 3, theirs: 4 }]
    })
    expect((await state.read()).local).toMatchObject({ n: 3 })
  })

  test("some keys of a state are read and changed as they are, whatever others were changed with them", async () => {
    const { version } = await state.update({ local: { n: 2, more: 1 }, shared: { list: null, plan: "x" } })
    const paths = ["/local/n", "/shared/list"]
    expect(await (await cold()).read({ paths })).toMatchObject({ local: { n: 2 }, shared: {} })
    expect(await (await cold()).read({ paths, version })).toMatchObject({ local: { n: 2 }, shared: {} })
    for (const update of [{ local: { n: 3 } }, { shared: { list: [1] } }, { local: { more: null } }])
      await (await cold()).update(update)
    const { local, shared } = await (await cold()).read()
    expect([local, shared]).toEqual([{ n: 3 }, { list: [1], plan: "x" }])
    expect(await state.verify()).toMatchObject({ isSound: true })
  })

  test("a branch is what it began with, also when it was deleted and made again", async () => {
    const first = await state.on("try").read()
    await state.deleteBranch("try")
    await state.update({ local: { n: 2 } })
    await state.branch("try")
    await state.on("try").update({ local: { own: 2 } })
    for (const one of [state, await cold()]) {
      const now = await one.on("try").read()
      expect(now.local).toEqual({ n: 2, own: 2 })
      for (const snapshot of [first, now]) {
        const { local, hash, version, token } = snapshot
        expect(await one.on("try").read({ version })).toMatchObject({ local, hash })
        expect(await one.read({ token })).toMatchObject({ local, hash })
      }
      await expect(one.on("try").read({ version: now.version + 1 })).rejects.toBeInstanceOf(UnknownRef)
    }
  })

  test("what differs is told, and restored, of branches whose beginnings are kept ready", async () => {
    const before = await state.read()
    const { checkpoint } = await state.checkpoint()
    await state.update({ local: { n: 2, "a/b~c": 1 } })
    await state.patch([{ op: "move", from: "/shared/list", path: "/persistent/moved" }])
    await state.on("try").update({ local: { own: 2 } })
    for (const one of [state, await cold()]) {
      expect(await one.diff({ version: before.version }, undefined, { format: "text" })).toBe(
        ["+ /local/a~1b~0c 1", "~ /local/n 1 → 2", "+ /persistent/moved []", "- /shared/list []"].join("\n")
      )
      const theirs = ["- /local/a~1b~0c 1", "~ /local/n 2 → 1", "+ /local/own 2", "- /persistent/moved []"]
      expect(await one.diff({}, { branch: "try" }, { format: "text" })).toBe(
        [...theirs, "+ /shared/list []"].join("\n")
      )
    }
    expect((await (await cold()).restore(checkpoint)).hash).toBe(before.hash)
    await state.restore({ branch: "try" })
    expect(await (await cold()).read()).toMatchObject({ local: { n: 1, own: 2 }, persistent: {} })
  })

  test("what only that can tell is refused as such, and nothing is changed", async () => {
    await state.update({ local: { n: 2 } })
    await state.branch("new")
    const { hash, version } = await state.read()
    const asked = [
      () => state.merge("try"),
      () => state.history(),
      () => state.restore({ branch: "new" }),
      () => state.diff({ branch: "new" })
    ]
    for (const answer of await Promise.all(asked.map((ask) => ask().catch((error: unknown) => error))))
      expect(answer).toBeInstanceOf(ProjectionBehind)
    expect(await state.read()).toMatchObject({ hash, version })
  })
})
