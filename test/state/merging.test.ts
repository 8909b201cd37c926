import { describe, expect, test } from "vitest"
import {
  MergeEnded,
  MergeUnresolved,
  NotFastForward,
  StateConflict,
  UnknownBranch
} from "../../src/errors.ts"
import { testLog } from "../log/test-log.ts"

const log = testLog()

let made = 0
const fresh = async () => {
  const state = log.engine.state(`merge-${(made += 1)}`)
  await state.update({ shared: { plan: ["a"], goal: "x" }, local: { n: 1 } }, { actor: "founder" })
  await state.branch("try")
  return { state, branch: state.on("try") }
}

describe("a merge", () => {
  test("takes what only one side changed, and knows what it has merged", async () => {
    const { state, branch } = await fresh()
    await branch.update({ shared: { goal: "y" } })
    await state.update({ local: { n: 2 } })
    const merge = await state.merge("try", { author: "ann", reason: "good" })
    expect(merge).toMatchObject({ status: "merged", conflicts: [] })
    expect(await state.read()).toMatchObject({ shared: { plan: ["a"], goal: "y" }, local: { n: 2 } })
    expect(await state.merge("try")).toMatchObject({ status: "up_to_date" })
    expect(await branch.merge("main")).toMatchObject({ status: "fast_forward" })
    expect((await branch.read()).hash).toBe((await state.read()).hash)
  })

  test("goes forward only where that is wanted", async () => {
    const { state, branch } = await fresh()
    await branch.update({ shared: { goal: "y" } })
    expect(await state.merge("try", { mode: "fast_forward" })).toMatchObject({ status: "fast_forward" })
    await branch.update({ shared: { goal: "z" } })
    await state.update({ local: { n: 3 } })
    await expect(state.merge("try", { mode: "fast_forward" })).rejects.toBeInstanceOf(NotFastForward)
    await expect(state.merge("none")).rejects.toBeInstanceOf(UnknownBranch)
  })

  test("with conflicts is pending until they are resolved, also by another engine", async () => {
    const { state, branch } = await fresh()
    await branch.update({ shared: { goal: "theirs", more: 1 } }, { actor: "bob", reason: "b" })
    await state.update({ shared: { goal: "ours" } }, { actor: "ann", reason: "a" })
    const before = await state.read()
    const merge = await state.merge("try")
    expect(merge.status).toBe("pending")
    expect(merge.conflicts).toEqual([
      {
        path: "/shared/goal",
        kind: "modify_modify",
        base: "x",
        ours: "ours",
        theirs: "theirs",
        oursBy: "ann",
        oursBecause: "a",
        theirsBy: "bob",
        theirsBecause: "b"
      }
    ])
    expect((await state.read()).hash).toBe(before.hash)
    await expect(merge.finish()).rejects.toBeInstanceOf(MergeUnresolved)
    const other = await log.open()
    expect(
      await other.states.merges({ agent: state.agent, status: "pending" }, { after: merge.token })
    ).toMatchObject([{ merge: merge.merge, openConflicts: 1 }])
    const pending = other.states.merge(merge.merge)
    await pending.resolve("/shared/goal", { use: "theirs" }, { by: "eve", reason: "better" })
    await pending.finish()
    expect((await state.read()).shared).toEqual({ plan: ["a"], goal: "theirs", more: 1 })
    await expect(merge.finish()).rejects.toBeInstanceOf(MergeEnded)
    expect(await other.states.conflicts({ merge: merge.merge })).toMatchObject([
      { resolvedBy: "eve", reason: "better", resolution: { use: "theirs" } }
    ])
    expect(await state.merges()).toMatchObject([{ status: "merged" }])
  })

  test("is worked out anew where a branch has moved", async () => {
    const { state, branch } = await fresh()
    await branch.update({ shared: { goal: "theirs" } })
    await state.update({ shared: { goal: "ours" } })
    const merge = await state.merge("try")
    await merge.resolve("/shared/goal", { use: "theirs" })
    await state.update({ shared: { goal: "again" } })
    await expect(merge.finish()).rejects.toMatchObject({ isChecked: true, paths: ["/shared/goal"] })
    await merge.resolve("/shared/goal", { use: { value: "both" } })
    await state.update({ local: { n: 9 } })
    await merge.finish()
    expect(await state.read()).toMatchObject({ shared: { goal: "both" }, local: { n: 9 } })
  })

  test("is given up, and has winners", async () => {
    const { state, branch } = await fresh()
    await branch.update({ shared: { goal: "theirs" } })
    await state.update({ shared: { goal: "ours" } })
    const merge = await state.merge("try")
    await merge.abort()
    await expect(merge.resolve("/shared/goal", { use: "ours" })).rejects.toBeInstanceOf(MergeEnded)
    expect(await state.merge("try", { strategy: "source_wins" })).toMatchObject({ status: "merged" })
    expect((await state.read()).shared).toMatchObject({ goal: "theirs" })
  })

  test("of a criss-cross takes no side", async () => {
    const state = log.engine.state(`merge-${(made += 1)}`)
    await state.update({ local: { k: 1 } })
    await state.branch("one")
    const one = state.on("one")
    await state.update({ local: { k: 2 } })
    await one.update({ local: { k: 3 } })
    await state.branch("main2")
    await one.branch("one2")
    expect(await state.merge("one2", { strategy: "target_wins" })).toMatchObject({ status: "merged" })
    expect(await one.merge("main2", { strategy: "target_wins" })).toMatchObject({ status: "merged" })
    expect((await state.merge("one")).conflicts).toMatchObject([{ path: "/local/k", ours: 2, theirs: 3 }])
  })
})

describe("a change on a base", () => {
  test("is merged with what came since, and conflicts where both changed the same", async () => {
    const { state } = await fresh()
    const base = await state.read()
    await state.update({ local: { other: true }, shared: { goal: "new" } }, { actor: "ann", reason: "quick" })
    await state.update({ local: { n: 5 } }, { base: base.token })
    expect(await state.read()).toMatchObject({ local: { n: 5, other: true }, shared: { goal: "new" } })
    const failure = await state
      .update({ shared: { goal: "mine" } }, { base: base.token, actor: "bob", reason: "slow" })
      .catch((error: unknown) => error)
    expect(failure).toBeInstanceOf(StateConflict)
    expect(failure).toMatchObject({
      conflicts: [
        { path: "/shared/goal", base: "x", ours: "new", theirs: "mine", oursBy: "ann", theirsBy: "bob" }
      ]
    })
  })

  test("may be of the branch that this one began with, or of one that was merged into it", async () => {
    const { state, branch } = await fresh()
    const base = await state.read()
    for (const name of ["a", "b", "c"]) {
      await branch.branch(name)
      await state.on(name).update({ local: { n: 7 } }, { base: base.token })
    }
    const later = await state.update({ local: { n: 2 } })
    await branch.merge("main")
    await branch.update({ local: { n: 3 } }, { base: later.token })
    expect((await branch.read()).local).toEqual({ n: 3 })
    const foreign = state.update({ local: { n: 4 } }, { base: (await branch.read()).token })
    await expect(foreign).rejects.toMatchObject({ _tag: "InvalidArgument" })
  })

  test("follows the rules that are declared", async () => {
    const { state } = await fresh()
    await log.engine.defineState({
      agent: state.agent,
      rules: [
        { path: "/shared/plan", array: "append" },
        { path: "/local/n", number: "counter" }
      ]
    })
    const base = await state.read()
    await state.update({ shared: { plan: ["a", "b"] }, local: { n: 4 } })
    await state.update({ shared: { plan: ["a", "c"] }, local: { n: 11 } }, { base: base.token })
    expect(await state.read()).toMatchObject({ shared: { plan: ["a", "b", "c"] }, local: { n: 14 } })
  })
})
