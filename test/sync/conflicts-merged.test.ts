import { Schema } from "effect"
import { describe, expect, test } from "vitest"
import { InvalidArgument, InvalidInput } from "../../src/index.ts"
import {
  ConflictEnded,
  MergeUnresolved,
  type Resolution,
  StateInvalid,
  UnknownConflict
} from "../../src/state.ts"
import { eventsOf, testLog } from "../log/test-log.ts"
import { conflictScene, refusal } from "./conflict-scene.ts"

// Conflicts of merges and of whole tiers are in the inbox, too.

const log = testLog()
const { apart, sync, inbox, conflict, shared } = conflictScene(log, "merged")

let made = 0

/** A merge that waits for somebody, in two paths. */
const pending = async () => {
  const state = log.engine.state(`pending-${(made += 1)}`)
  await state.update({ shared: { mode: "x", goal: "x" } })
  await state.branch("draft")
  await state.on("draft").update({ shared: { mode: "y", goal: "y" } }, { actor: "ann", reason: "late" })
  await state.update({ shared: { mode: "z", goal: "z" } }, { actor: "bob", reason: "early" })
  const merge = await state.merge("draft", { rules: [{ path: "/shared/*", array: "set" }] })
  const entries = await log.engine.conflicts.list({ agent: state.agent })
  const idOf = (path: string) => entries.find((entry) => entry.path === path)!.id
  return { state, merge, entries, goal: idOf("/shared/goal"), mode: idOf("/shared/mode") }
}

describe("a conflict of a merge", () => {
  test("is in the inbox with those of synchronisations, and with the rule that did not fit", async () => {
    const { state, merge, entries } = await pending()
    expect(entries).toHaveLength(2)
    expect(await log.engine.conflicts.list({ agent: state.agent, kind: "merge", status: "open" })).toEqual(
      entries
    )
    expect(entries.find(({ path }) => path === "/shared/mode")).toMatchObject({
      kind: "merge",
      status: "open",
      source: state.agent,
      sourceBranch: "draft",
      target: state.agent,
      targetBranch: "main",
      keys: ["/shared/mode"],
      merge: merge.merge,
      sync: null,
      conflict: {
        kind: "modify_modify",
        base: "x",
        ours: "z",
        theirs: "y",
        oursBy: "bob",
        theirsBecause: "late",
        rule: { path: "/shared/*", array: "set" }
      }
    })
  })

  test("is decided by its id, one after the other, and finished with the last where that is asked for", async () => {
    const { state, merge, goal, mode } = await pending()
    const first = await log.engine.conflicts.resolve(goal, { use: "theirs" }, { by: "eve", finish: true })
    expect(first).toMatchObject({ status: "decided", open: ["/shared/mode"] })
    expect(await log.engine.conflicts.get(goal)).toMatchObject({ status: "decided", resolvedBy: "eve" })
    expect(await refusal(log.engine.conflicts.resolve(goal, { use: "ours" }))).toBeInstanceOf(ConflictEnded)
    await expect(merge.finish()).rejects.toBeInstanceOf(MergeUnresolved)
    const last = await log.engine.conflicts.resolve(mode, { use: { value: 7 } }, { by: "eve", finish: true })
    expect(last).toMatchObject({ status: "resolved", open: [] })
    expect((await state.read({ token: last.token! })).shared).toEqual({ goal: "y", mode: 7 })
    expect(await log.engine.conflicts.get(mode)).toMatchObject({ status: "resolved", resolvedBy: "eve" })
    expect(await refusal(log.engine.conflicts.resolve(mode, { use: "ours" }))).toBeInstanceOf(ConflictEnded)
  })

  test("is left to whoever finishes the merge, unless that is asked for", async () => {
    const { merge, goal, mode } = await pending()
    await log.engine.conflicts.resolve(goal, { use: "theirs" })
    expect(await log.engine.conflicts.resolve(mode, { use: "theirs" })).toEqual({
      id: mode,
      status: "decided",
      open: [],
      version: undefined,
      token: undefined
    })
    await merge.finish()
    expect(await log.engine.conflicts.get(mode)).toMatchObject({ status: "resolved" })
  })

  test("is decided once, of many who try at once", async () => {
    const { merge, goal } = await pending()
    const uses = ["ours", "theirs", "base"] as const
    const tried = await Promise.all(uses.map((use) => refusal(log.engine.conflicts.resolve(goal, { use }))))
    expect(tried.filter((thrown) => thrown instanceof ConflictEnded)).toHaveLength(2)
    const events = await eventsOf(log.engine, `statemerge-${merge.merge}`)
    expect(events.filter(({ type }) => type === "StateConflictResolved")).toHaveLength(1)
  })

  test("is remembered as a rule of the agent", async () => {
    const { state, goal, mode } = await pending()
    await log.engine.conflicts.resolve(goal, { use: "theirs" }, { remember: { path: "/shared/*" } })
    await log.engine.conflicts.resolve(mode, { use: "theirs" }, { finish: true })
    await state.on("draft").update({ shared: { mode: "m" } })
    await state.update({ shared: { mode: "n" } })
    expect(await state.merge("draft")).toMatchObject({ status: "merged" })
    expect((await state.read()).shared).toMatchObject({ mode: "m" })
  })

  test("is assigned, and over with its merge", async () => {
    const { state, merge, goal } = await pending()
    await log.engine.conflicts.assign(goal, "eve")
    expect(
      (await log.engine.conflicts.list({ agent: state.agent, assignee: "eve" })).map(({ id }) => id)
    ).toEqual([goal])
    await merge.abort()
    expect(await log.engine.conflicts.get(goal)).toMatchObject({ status: "aborted", assignee: "eve" })
    expect(await refusal(log.engine.conflicts.resolve(goal, { use: "ours" }))).toBeInstanceOf(ConflictEnded)
  })

  test("that is none any more, since the target has moved, is in the inbox no more", async () => {
    const { state, merge, goal, mode } = await pending()
    await state.update({ shared: { goal: "x", mode: "w" } })
    await log.engine.conflicts.resolve(mode, { use: "theirs" })
    await expect(merge.finish()).rejects.toBeInstanceOf(MergeUnresolved)
    expect(await refusal(log.engine.conflicts.get(goal))).toBeInstanceOf(UnknownConflict)
    expect(await log.engine.conflicts.get(mode)).toMatchObject({ status: "open", conflict: { ours: "w" } })
    expect(await state.merges()).toMatchObject([{ openConflicts: 1 }])
  })
})

describe("a conflict of a whole tier of a synchronisation", () => {
  const Shared = Schema.Struct({ spent: Schema.Int, reserved: Schema.Int }).check(
    Schema.makeFilter(({ spent, reserved }) => spent + reserved <= 10 || "more is spent than there is")
  )

  const overspent = async () => {
    await log.engine.defineState({ agentType: "saver", tiers: { shared: Shared } })
    const [base, theirs, ours] = [{ spent: 1, reserved: 1 }, { reserved: 9 }, { spent: 9 }]
    const a = log.engine.state(`merged-saver-${(made += 1)}`, { type: "saver" })
    const b = log.engine.state(`merged-saver-${(made += 1)}`, { type: "saver" })
    await a.update({ shared: base })
    await b.update({ shared: { spent: 0, reserved: 0 } })
    await sync({ a, b }, { strategy: "source_wins" })
    await a.update({ shared: theirs })
    await b.update({ shared: ours })
    const { conflicts } = await sync({ a, b })
    expect(conflicts).toMatchObject([{ kind: "constraint", path: "/shared", changed: ["/shared/reserved"] }])
    const [entry] = await inbox({ a, b })
    return { a, b, entry: entry! }
  }

  test("is in the inbox with what is wrong", async () => {
    const { entry } = await overspent()
    expect(entry).toMatchObject({ path: "/shared", keys: ["/shared/reserved"], status: "open" })
    expect(entry.conflict.problem).toMatch(/more is spent than there is/)
  })

  test.each<["ours" | "theirs", number]>([
    ["ours", 1],
    ["theirs", 9]
  ])("is decided by %s, whatever the schema says", async (use, reserved) => {
    const { entry, ...couple } = await overspent()
    expect(await log.engine.conflicts.resolve(entry.id, { use })).toMatchObject({ status: "resolved" })
    expect(await shared(couple.b)).toEqual({ spent: 9, reserved })
    expect(await log.engine.conflicts.get(entry.id)).toMatchObject({ status: "resolved" })
    expect(await sync(couple)).toMatchObject({ status: "up_to_date" })
  })

  test.each<Resolution["use"]>(["base", { value: { spent: 1, reserved: 1 } }])(
    "is not decided by %j",
    async (use) => {
      const { entry } = await overspent()
      const refused = await refusal(log.engine.conflicts.resolve(entry.id, { use }))
      expect(refused).toBeInstanceOf(InvalidArgument)
      expect((refused as Error).message).toMatch(/by ours or theirs/)
    }
  )

  test("is closed once one of the states is mended and both are synchronised", async () => {
    const { entry, ...couple } = await overspent()
    await couple.b.update({ shared: { spent: 1 } })
    expect(await sync(couple)).toMatchObject({ status: "synced" })
    expect(await log.engine.conflicts.get(entry.id)).toMatchObject({ status: "resolved" })
  })

  test("is what a value may not lead to: it is refused, and nothing is decided", async () => {
    const { a, b, entry: tier } = await overspent()
    await log.engine.conflicts.resolve(tier.id, { use: "ours" })
    await a.update({ shared: { reserved: 0 } })
    await b.update({ shared: { reserved: 1 } })
    await a.update({ shared: { spent: 2 } })
    await b.update({ shared: { spent: 3 } })
    await sync({ a, b })
    const [entry] = await inbox({ a, b }, { status: "open" })
    expect(entry).toMatchObject({ path: "/shared/spent" })
    const refused = await refusal(log.engine.conflicts.resolve(entry!.id, { use: { value: 99 } }))
    expect(refused).toBeInstanceOf(StateInvalid)
    expect(await log.engine.conflicts.get(entry!.id)).toMatchObject({ status: "open" })
    await log.engine.conflicts.resolve(entry!.id, { use: { value: 4 } })
    expect(await shared(b)).toMatchObject({ spent: 4 })
  })
})

describe("what cannot be is refused, and nothing is done:", () => {
  const NOBODY = "01890a5d-ac96-774b-bcce-b302099a8057"
  const conflicts = () => log.engine.conflicts
  const use = "ours"

  test.each<[string, unknown, RegExp]>([
    ["nothing", undefined, /A resolution is/],
    ["a side that there is not", { use: "mine" }, /A resolution is/],
    ["nothing of it", {}, /A resolution is/],
    ["no value", { use: { value: undefined } }, /value/],
    ["a value that is no JSON", { use: { value: Number.NaN } }, /NaN|number/],
    ["a function", { use: { value: () => 1 } }, /function/]
  ])("to decide by %s", async (_, resolution, message) => {
    const { entry, b } = await conflict()
    const before = await b.read()
    const refused = await refusal(conflicts().resolve(entry.id, resolution as Resolution))
    expect(refused).toBeInstanceOf(InvalidArgument)
    expect((refused as Error).message).toMatch(message)
    expect(await b.read()).toEqual(before)
    expect(await conflicts().get(entry.id)).toMatchObject({ status: "open" })
  })

  test.each(["", " ", 7, undefined, {}, "x".repeat(201)])("to assign it to %j", async (assignee) => {
    const { entry } = await conflict()
    const refused = await refusal(conflicts().assign(entry.id, assignee as string))
    expect(refused).toBeInstanceOf(InvalidArgument)
    expect((refused as Error).message).toMatch(/is nobody/)
    expect((await conflicts().get(entry.id)).assignee).toBeNull()
  })

  test.each<[string, () => Promise<unknown>]>([
    ["get", () => conflicts().get(NOBODY)],
    ["get what is no id", () => conflicts().get("nothing")],
    ["decide", () => conflicts().resolve(NOBODY, { use })],
    ["decide what is no id", () => conflicts().resolve(7 as never, { use })],
    ["assign", () => conflicts().assign(NOBODY, "eve")]
  ])("to %s a conflict that there is not", async (_, refused) => {
    expect(await refusal(refused())).toBeInstanceOf(UnknownConflict)
  })

  test.each([
    { status: "closed" },
    { kind: "fight" },
    { limit: 0 },
    { limit: 1_001 },
    { agent: "" },
    { of: 1 }
  ])("to list by %j", async (which) => {
    expect(await refusal(conflicts().list(which as never))).toBeInstanceOf(InvalidInput)
  })

  test("to decide about an agent of which nobody knows any more what it has", async () => {
    const couple = await apart({ mode: "x" }, { mode: "y" }, { mode: "z" })
    await couple.a.branch("draft")
    await couple.a.on("draft").update({ shared: { mode: "w" } })
    await log.engine.sync({
      from: { agent: couple.a.agent, branch: "draft" },
      to: [couple.b.agent],
      keys: ["/shared/**"]
    })
    const [entry] = await inbox(couple)
    await couple.a.deleteBranch("draft")
    const refused = await refusal(conflicts().resolve(entry!.id, { use }))
    expect((refused as Error).name).toBe("UnknownBranch")
    expect(await conflicts().get(entry!.id)).toMatchObject({ status: "open" })
  })
})

test("a read model that is made anew has the same inbox, row by row", async () => {
  const { verified } = await log.engine.rebuild("states", { verify: true })
  expect(verified).toMatchObject({ sameDefinition: true })
})
