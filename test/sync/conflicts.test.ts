import { describe, expect, test } from "vitest"
import { ConflictEnded } from "../../src/state.ts"
import { testLog, upTo } from "../log/test-log.ts"
import { conflictScene, refusal } from "./conflict-scene.ts"

// What synchronisations leave is in the inbox until somebody has decided it.

const log = testLog()
const { apart, sync, inbox, conflict, noted } = conflictScene(log, "found")

describe("the inbox", () => {
  test("has what a synchronisation leaves, with both values, the base, authors, reasons and the rule that did not fit", async () => {
    const rule = { path: "/shared/mode", array: "set" as const }
    const couple = await apart({ mode: "x" }, { mode: "y" }, { mode: "z" })
    const { a, b } = couple
    const { conflicts: told } = await sync(couple, { rules: [{ path: "/shared/**", text: true }, rule] })
    const [entry, ...others] = await inbox(couple)
    expect(others).toEqual([])
    expect(entry).toMatchObject({
      kind: "sync",
      status: "open",
      source: a.agent,
      target: b.agent,
      sourceBranch: "main",
      targetBranch: "main",
      path: "/shared/mode",
      keys: ["/shared/mode"],
      merge: null,
      times: 1,
      assignee: null,
      resolution: null,
      resolvedBy: null,
      resolvedAt: null
    })
    expect(entry!.conflict).toEqual({
      id: entry!.id,
      path: "/shared/mode",
      kind: "modify_modify",
      base: "x",
      ours: "z",
      theirs: "y",
      oursBy: "bob",
      oursBecause: "it is early",
      theirsBy: "ann",
      theirsBecause: "it is late",
      rule,
      digest: expect.any(String) as string
    })
    expect(told).toEqual([entry!.conflict])
    expect(await log.engine.conflicts.get(entry!.id)).toEqual(entry)
  })

  test("has a conflict that is found again and again once, and says how often", async () => {
    const { entry, ...couple } = await conflict()
    await sync(couple)
    await sync(couple)
    const [again, ...others] = await inbox(couple)
    expect(others).toEqual([])
    expect(again).toMatchObject({ id: entry.id, times: 3, openedAt: entry.openedAt, status: "open" })
    expect(again!.seenAt.getTime()).toBeGreaterThan(entry.seenAt.getTime())
    expect(again!.sync).not.toBe(entry.sync)
  })

  test("shows what it is about by now, where both have gone on", async () => {
    const { entry, ...couple } = await conflict()
    await couple.a.update({ shared: { mode: "w" } })
    await sync(couple)
    expect(await inbox(couple)).toMatchObject([
      { id: entry.id, openedAt: entry.openedAt, times: 2, conflict: { base: "x", ours: "z", theirs: "w" } }
    ])
  })

  test.each<[string, (couple: Awaited<ReturnType<typeof conflict>>) => Promise<unknown>]>([
    [
      "a strategy decides",
      (couple) => sync(couple, { strategy: "source_wins", actor: "eve", reason: "hers" })
    ],
    [
      "one side gives way",
      async ({ a, b, ...couple }) => {
        await b.update({ shared: { mode: "x" } })
        await sync({ a, b, ...couple }, { actor: "eve", reason: "hers" })
      }
    ],
    [
      "the other direction was decided",
      async ({ a, b }) => {
        await sync({ a: b, b: a }, { strategy: "target_wins", actor: "eve", reason: "hers" })
      }
    ]
  ])("has it closed once %s, and by whom", async (_, close) => {
    const { entry, ...couple } = await conflict()
    await close({ entry, ...couple })
    expect(await log.engine.conflicts.get(entry.id)).toMatchObject({
      status: "resolved",
      resolution: null,
      resolvedBy: "eve",
      reason: "hers"
    })
    expect(await inbox(couple, { status: "open" })).toEqual([])
    // What comes up after that begins anew.
    await couple.a.update({ shared: { mode: "m" } })
    await couple.b.update({ shared: { mode: "n" } })
    await sync(couple)
    const again = await log.engine.conflicts.get(entry.id)
    expect(again).toMatchObject({ status: "open", times: 1, resolvedBy: null, resolvedAt: null })
    expect(again.openedAt.getTime()).toBeGreaterThan(entry.openedAt.getTime())
  })

  test("lets go of a conflict where its key is left because of another one by now", async () => {
    const couple = await apart({ plan: { x: 1, y: 1 } }, { plan: { x: 2 } }, { plan: { x: 3 } })
    await sync(couple)
    await couple.b.update({ shared: { plan: { x: 1, y: 3 } } })
    await couple.a.update({ shared: { plan: { y: 2 } } })
    await sync(couple)
    const paths = (await inbox(couple)).map(({ path, status }) => [path, status])
    expect(paths.toSorted()).toEqual([
      ["/shared/plan/x", "resolved"],
      ["/shared/plan/y", "open"]
    ])
  })

  test("is asked by agent on either side, status, kind and assignee, so many at a time, the newest first", async () => {
    const base = Object.fromEntries(upTo(4).map((n) => [`k${n}`, 0]))
    const of = (value: number) => Object.fromEntries(upTo(4).map((n) => [`k${n}`, value]))
    const couple = await apart(base, of(1), of(2))
    for (const n of upTo(4)) await sync(couple, { keys: [`/shared/k${n}`] })
    const all = await inbox(couple)
    expect(all.map(({ path }) => path)).toEqual(
      upTo(4)
        .map((n) => `/shared/k${n}`)
        .toReversed()
    )
    expect(await log.engine.conflicts.list({ agent: couple.b.agent })).toEqual(all)
    expect(await inbox(couple, { limit: 2 })).toEqual(all.slice(0, 2))
    expect(await inbox(couple, { kind: "merge" })).toEqual([])
    await log.engine.conflicts.assign(all[1]!.id, "eve", { by: "ada" })
    await log.engine.conflicts.resolve(all[2]!.id, { use: "ours" })
    expect((await inbox(couple, { assignee: "eve" })).map(({ id }) => id)).toEqual([all[1]!.id])
    expect((await inbox(couple, { status: "resolved" })).map(({ id }) => id)).toEqual([all[2]!.id])
    expect(await inbox(couple, { status: "open" })).toHaveLength(3)
  })
})

test("a conflict is assigned to somebody, to somebody else and to nobody, which the log has", async () => {
  const { entry, ...couple } = await conflict()
  await log.engine.conflicts.assign(entry.id, "eve", { by: "ada", reason: "she knows" })
  expect(await log.engine.conflicts.get(entry.id)).toMatchObject({ assignee: "eve", status: "open" })
  await log.engine.conflicts.assign(entry.id, "planner-7")
  expect(await inbox(couple, { assignee: "planner-7" })).toHaveLength(1)
  // It stays with him where the values move on.
  await couple.a.update({ shared: { mode: "w" } })
  await sync(couple)
  expect(await inbox(couple, { assignee: "planner-7" })).toHaveLength(1)
  await log.engine.conflicts.assign(entry.id, null)
  expect((await log.engine.conflicts.get(entry.id)).assignee).toBeNull()
  expect(await noted(entry.id)).toMatchObject([
    { type: "StateConflictAssigned", data: { assignee: "eve" }, meta: { actor: "ada", reason: "she knows" } },
    { data: { assignee: "planner-7" } },
    { data: {} }
  ])
  await log.engine.conflicts.resolve(entry.id, { use: "ours" })
  expect(await refusal(log.engine.conflicts.assign(entry.id, "eve"))).toBeInstanceOf(ConflictEnded)
})

test("the view has the same in columns", async () => {
  const { entry, a } = await conflict()
  const rows = await log.db.query(
    "select id, kind, status, base, ours, theirs, ours_by, theirs_because, rule, times from tidemark.state_conflict_inbox where source_agent = $1",
    [a.agent]
  )
  expect(rows).toEqual([
    {
      id: entry.id,
      kind: "sync",
      status: "open",
      base: "x",
      ours: "z",
      theirs: "y",
      ours_by: "bob",
      theirs_because: "it is late",
      rule: null,
      times: 1
    }
  ])
})

test("a read model that is made anew has the same inbox, row by row", async () => {
  const { verified } = await log.engine.rebuild("states", { verify: true })
  expect(verified).toMatchObject({ sameDefinition: true })
})
