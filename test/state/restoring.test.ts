import { expect, test } from "vitest"
import { UnknownCheckpoint } from "../../src/errors.ts"
import { testLog } from "../log/test-log.ts"

const log = testLog()

const withBranches = async (agent: string, ...branches: ReadonlyArray<string>) => {
  const state = log.engine.state(agent)
  await state.update({ local: { of: "main" } })
  for (const branch of branches) {
    await state.branch(branch)
    await state.on(branch).update({ local: { of: branch } })
  }
  return state
}

test("a branch is restored from its own part of a checkpoint of several branches", async () => {
  const state = await withBranches("restoring-1", "x")
  const { agent } = state
  const { checkpoint } = await log.engine.checkpoint({
    agents: [
      { agent, branch: "x" },
      { agent, branch: "main" }
    ]
  })
  for (const branch of ["main", "x"]) {
    await state.on(branch).update({ local: { of: "neither" } })
    await state.on(branch).restore(checkpoint)
    expect((await state.on(branch).read()).local).toEqual({ of: branch })
  }
})

test("a branch that a checkpoint does not have is restored from the only one that it has", async () => {
  const state = await withBranches("restoring-2", "x")
  const { agent } = state
  const { checkpoint } = await log.engine.checkpoint({ agents: [{ agent, branch: "x" }, "restoring-other"] })
  await state.restore(checkpoint)
  expect((await state.read()).local).toEqual({ of: "x" })
})

test("a branch that is none of several of a checkpoint is not restored, and told which there are", async () => {
  const state = await withBranches("restoring-3", "x", "y")
  const { agent } = state
  const { checkpoint } = await log.engine.checkpoint({
    agents: [
      { agent, branch: "x" },
      { agent, branch: "y" }
    ]
  })
  const refused = await state.restore(checkpoint).catch((error: unknown) => error)
  expect(refused).toBeInstanceOf(UnknownCheckpoint)
  expect((refused as Error).message).toContain('"x", "y"')
  expect((await state.read()).local).toEqual({ of: "main" })
})
