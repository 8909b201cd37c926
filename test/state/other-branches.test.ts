import { expect, test } from "vitest"
import { UnknownBranch } from "../../src/errors.ts"
import { testLog } from "../log/test-log.ts"

const log = testLog()

const withBranch = async (agent: string) => {
  const state = log.engine.state(agent)
  await state.update({ local: { n: 1 } })
  await state.branch("try")
  await state.on("try").update({ local: { n: 2 } })
  return state
}

test("the history of another branch is asked for by its name", async () => {
  const state = await withBranch("others-1")
  const branch = state.on("try")
  expect(await state.history({ branch: "try" })).toEqual(await branch.history())
  expect(await state.history({ branch: "try", of: 1 })).toEqual(await branch.history({ of: 1 }))
  expect(await branch.history({ branch: "main" })).toEqual(await state.history())
  await expect(state.history({ branch: "none" })).rejects.toBeInstanceOf(UnknownBranch)
})

test("the newest version of another branch is given a name", async () => {
  const state = await withBranch("others-2")
  expect(await state.tag("tried", { branch: "try" })).toMatchObject({ branch: "try", version: 2 })
  expect((await state.read({ tag: "tried" })).local).toEqual({ n: 2 })
})

test("a branch may begin with the newest version of another one", async () => {
  const state = await withBranch("others-3")
  expect(await state.branch("next", { at: { branch: "try" } })).toMatchObject({
    from: { branch: "try", version: 2 }
  })
  expect((await state.on("next").read()).local).toEqual({ n: 2 })
})
