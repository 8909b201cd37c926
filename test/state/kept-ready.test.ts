import { randomBytes } from "node:crypto"
import { expect, test } from "vitest"
import { InvalidArgument } from "../../src/index.ts"
import { StateCorrupt } from "../../src/state.ts"
import { EMPTY_HASH, hashOfText, hashText, StateHasher, withEntry } from "../../src/state/branch/hash.ts"
import { testLog } from "../log/test-log.ts"
import { until } from "../support/eventually.ts"

// The read model of all agents' states goes on, whatever one of them holds.

const log = testLog()

/** Nothing of it can be compressed away. */
const long = (bytes: number): string => randomBytes(bytes / 2).toString("hex")

const goesOn = async () => {
  const end = await log.engine.settled()
  await until(async () => {
    const { projections } = await log.engine.status()
    return projections.find(({ name }) => name === "states")!.position >= end
  })
}

test("a key may have a name as long as an index can take", async () => {
  const state = log.engine.state("long-1")
  const name = long(1_024)
  await state.update({ shared: { [name]: 1 } })
  await state.update({ shared: { [name]: 2 } })
  await goesOn()
  expect((await state.blame(`/shared/${name}`, { limit: 5 })).length).toBe(2)
})

test("a key with a longer one, which somebody else put into the log, is damage of its branch alone", async () => {
  const state = log.engine.state("long-2")
  await state.update({ shared: { n: 1 } })
  const key = long(6_000)
  const [row] = await log.db.query<{ secret: Buffer }>(
    "select secret from tidemark.agent_secrets where agent = 'long-2'"
  )
  // All else about it is right.
  const entry = new StateHasher(row!.secret).entry({ tier: "shared", key }, 1)
  const hash = hashText(withEntry(hashOfText((await state.read()).hash), EMPTY_HASH, entry.hash))
  const patch = [{ op: "add", path: `/shared/${key}`, value: 1 }]
  await log.engine.emit("state-main@long-2", { type: "StateChanged", data: { semantics: 1, patch, hash } })
  await goesOn()
  await expect(state.read()).rejects.toBeInstanceOf(StateCorrupt)
})

test("a conflict may lie at a path of any length, be decided, and be checked anew", async () => {
  const state = log.engine.state("long-3")
  const [one, other] = [`a${long(3_000)}`, long(3_000)]
  await state.update({ shared: { deep: { [one]: { [other]: 0 }, more: 0 } } })
  await state.branch("side")
  await state.on("side").update({ shared: { deep: { [one]: { [other]: 1 }, more: 1 } } })
  await state.update({ shared: { deep: { [one]: { [other]: 2 } } } })
  const merge = await state.merge("side")
  const path = `/shared/deep/${one}/${other}`
  expect(merge.conflicts.length).toBe(1)
  await state.update({ shared: { deep: { more: 3 } } })
  await merge.resolve(path, { use: "theirs" }, { by: "ada" })
  await expect(merge.finish()).rejects.toMatchObject({ _tag: "MergeUnresolved" })
  await goesOn()
  const known = await log.engine.states.conflicts({ merge: merge.merge })
  expect(known.map(({ path: { length }, resolution }) => [length, resolution])).toEqual([
    [path.length, { use: "theirs" }],
    ["/shared/deep/more".length, null]
  ])
  await merge.resolve("/shared/deep/more", { use: "ours" }, { by: "ada" })
  await merge.finish()
  expect((await state.read()).shared["deep"]).toEqual({ [one]: { [other]: 1 }, more: 3 })
})

test.each([new Date(8.64e15), "-000001-01-01T00:00:00Z", "soon"])(
  "a checkpoint that would expire at %s is refused",
  async (expiresAt) => {
    const state = log.engine.state("far")
    await state.update({ shared: { n: 1 } })
    await expect(state.checkpoint({ expiresAt })).rejects.toBeInstanceOf(InvalidArgument)
    await state.checkpoint({ expiresAt: "9999-12-31T23:59:59Z" })
    await goesOn()
  }
)
