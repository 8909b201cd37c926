import { expect, test } from "vitest"
import { UnknownCheckpoint } from "../../src/errors.ts"
import { testLog } from "../log/test-log.ts"
import { folded } from "./folded.ts"

const log = testLog()

const withCheckpoint = async (agent: string, branch: string) => {
  const state = log.engine.state(agent)
  await state.update({ local: { n: 1 } })
  if (branch !== "main") await state.branch(branch)
  const { checkpoint } = await state.on(branch).checkpoint()
  return { state, checkpoint }
}

/** The streams with an event that ends a checkpoint of an agent, one for each. */
const endedIn = async (agent: string): Promise<ReadonlyArray<unknown>> => {
  const rows = await log.db.query<{ stream: string }>(
    "select stream from tidemark.events where type = 'StateCheckpointDropped' and stream like '%@' || $1",
    [agent]
  )
  return rows.map(({ stream }) => stream)
}

test("a checkpoint that was dropped is dropped again without an event", async () => {
  const { state, checkpoint } = await withCheckpoint("dropped-twice", "main")
  await Promise.all([state.dropCheckpoint(checkpoint), state.dropCheckpoint(checkpoint)])
  await (await log.open()).state(state.agent).dropCheckpoint(checkpoint)
  await folded(log)
  await state.dropCheckpoint(checkpoint)
  expect(await endedIn(state.agent)).toEqual([`state-main@${state.agent}`])
})

test("one that expired has ended already", async () => {
  const state = log.engine.state("expired")
  const { checkpoint } = await state.checkpoint({ expiresAt: new Date(Date.now() - 1) })
  await folded(log)
  await log.engine.states.sweep()
  await state.dropCheckpoint(checkpoint)
  expect(await endedIn(state.agent)).toHaveLength(1)
})

test("one of a branch that was deleted is dropped by main", async () => {
  const { state, checkpoint } = await withCheckpoint("of-a-deleted", "side")
  await state.deleteBranch("side")
  await state.dropCheckpoint(checkpoint)
  await state.dropCheckpoint(checkpoint)
  expect(await endedIn(state.agent)).toEqual([`state-main@${state.agent}`])
  await expect(state.restore(checkpoint)).rejects.toBeInstanceOf(UnknownCheckpoint)
  await folded(log)
  await expect(state.restore(checkpoint)).rejects.toBeInstanceOf(UnknownCheckpoint)
  expect(await state.verify()).toMatchObject({ isSound: true })
})

test("one of several branches is dropped by the id of any of its parts, where it is this agent's", async () => {
  const state = log.engine.state("of-several")
  const other = log.engine.state("of-another")
  for (const one of [state, other]) await one.update({ local: { n: 1 } })
  await state.branch("side")
  const { checkpoint } = await log.engine.checkpoint({
    agents: [{ agent: state.agent }, { agent: state.agent, branch: "side" }, { agent: other.agent }]
  })
  const partOf = async (one: typeof state) => (await one.history({ limit: 1 }))[0]!.id
  const foreign = await partOf(other)
  await expect(other.dropCheckpoint(foreign)).rejects.toThrow(/another agent's/)
  await state.dropCheckpoint(await partOf(state.on("side")))
  await state.dropCheckpoint(checkpoint)
  expect(await endedIn(state.agent)).toEqual([`state-main@${state.agent}`])
  expect(await endedIn(other.agent)).toEqual([])
  await expect(log.engine.restore(checkpoint)).rejects.toBeInstanceOf(UnknownCheckpoint)
})
