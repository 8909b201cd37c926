import { describe, expect, test } from "vitest"
import { ConflictEnded, ConflictMoved, type Resolution } from "../../src/state.ts"
import { eventsOf, testLog, upTo } from "../log/test-log.ts"
import { conflictScene, refusal } from "./conflict-scene.ts"

// What somebody has decided comes to pass, once, and about nothing else.

const log = testLog()
const { apart, sync, inbox, conflict, shared, noted } = conflictScene(log, "decided")

describe("a conflict is decided", () => {
  test.each<[string, Resolution, unknown]>([
    ["by what the target has", { use: "ours" }, "z"],
    ["by what the source has", { use: "theirs" }, "y"],
    ["by what both had", { use: "base" }, "x"],
    ["by a value", { use: { value: { both: ["y", "z"] } } }, { both: ["y", "z"] }]
  ])("%s, and both go on from there", async (_, resolution, value) => {
    const { entry, ...couple } = await conflict()
    const { a, b } = couple
    const resolved = await log.engine.conflicts.resolve(entry.id, resolution, { by: "eve", reason: "asked" })
    expect(resolved).toMatchObject({ id: entry.id, status: "resolved", open: [] })
    expect(await shared(b)).toEqual({ mode: value })
    expect((await b.read({ token: resolved.token! })).version).toBe(resolved.version)
    expect(await log.engine.conflicts.get(entry.id)).toMatchObject({
      status: "resolved",
      resolution,
      resolvedBy: "eve",
      reason: "asked",
      resolvedAt: expect.any(Date) as Date
    })
    const [event] = (await eventsOf(log.engine, `state-main@${b.agent}`)).slice(-1)
    expect(event).toMatchObject({ type: "StateSynced", meta: { actor: "eve", reason: "asked" } })
    expect(event!.data).toMatchObject({ settled: 1 })
    expect(await sync(couple)).toMatchObject({ status: "up_to_date", conflicts: [] })
    await sync({ a: b, b: a })
    expect(await shared(a)).toEqual({ mode: value })
    expect(await b.verify()).toMatchObject({ isSound: true })
  })

  test("in a deletion, too", async () => {
    const couple = await apart({ mode: "x" }, { mode: null }, { mode: "z" })
    expect(await sync(couple)).toMatchObject({ conflicts: [{ kind: "modify_delete", ours: "z" }] })
    const [entry] = await inbox(couple)
    expect(entry!.conflict).not.toHaveProperty("theirs")
    await log.engine.conflicts.resolve(entry!.id, { use: "theirs" })
    expect(await shared(couple.b)).toEqual({})
  })

  test("one after the other, where several are in a key, which is left until the last", async () => {
    const plan = (of: number) => ({ plan: { x: of, y: of, z: 0 } })
    const couple = await apart(plan(1), plan(2), plan(3))
    await sync(couple)
    const entries = await inbox(couple)
    const idOf = (path: string) => entries.find((entry) => entry.path === path)!.id
    const first = await log.engine.conflicts.resolve(idOf("/shared/plan/x"), { use: "theirs" })
    expect(first).toMatchObject({ status: "decided", open: ["/shared/plan/y"], version: undefined })
    expect(await shared(couple.b)).toEqual(plan(3))
    // Another one that was under way meanwhile finds what is left.
    expect(await sync(couple)).toMatchObject({ conflicts: [{ path: "/shared/plan/y" }] })
    expect(await log.engine.conflicts.get(idOf("/shared/plan/x"))).toMatchObject({ status: "decided" })
    const second = await log.engine.conflicts.resolve(idOf("/shared/plan/y"), { use: { value: 5 } })
    expect(second).toMatchObject({ status: "resolved", open: [] })
    expect(await shared(couple.b)).toEqual({ plan: { x: 2, y: 5, z: 0 } })
    expect(await inbox(couple, { status: "resolved" })).toHaveLength(2)
  })

  test("and is open again where its values move before it is in the target", async () => {
    const couple = await apart({ plan: { x: 1, y: 1 } }, { plan: { x: 2, y: 2 } }, { plan: { x: 3, y: 3 } })
    await sync(couple)
    const { id } = (await inbox(couple)).find(({ path }) => path === "/shared/plan/x")!
    await log.engine.conflicts.resolve(id, { use: "theirs" }, { by: "eve" })
    await couple.a.update({ shared: { plan: { x: 9 } } })
    await sync(couple)
    expect(await log.engine.conflicts.get(id)).toMatchObject({
      status: "open",
      conflict: { theirs: 9 },
      resolution: null,
      resolvedBy: null,
      times: 2
    })
    expect(await inbox(couple, { status: "open" })).toHaveLength(2)
  })

  test("once: who comes late is told, and nothing is written", async () => {
    const { entry, b } = await conflict()
    await log.engine.conflicts.resolve(entry.id, { use: "theirs" })
    const { version } = await b.read()
    const late = await refusal(log.engine.conflicts.resolve(entry.id, { use: "ours" }))
    expect(late).toBeInstanceOf(ConflictEnded)
    expect(late).toMatchObject({ conflict: entry.id, path: "/shared/mode", status: "resolved" })
    expect((await b.read()).version).toBe(version)
  })

  test("by one of many that try at once, from several engines", async () => {
    const { entry, b } = await conflict()
    const other = await log.open()
    const tried = await Promise.all(
      upTo(6).map((n) =>
        refusal((n % 2 === 0 ? log.engine : other).conflicts.resolve(entry.id, { use: { value: n } }))
      )
    )
    expect(tried.filter((thrown) => thrown === undefined)).toHaveLength(1)
    for (const thrown of tried) if (thrown !== undefined) expect(thrown).toBeInstanceOf(ConflictEnded)
    expect((await noted(entry.id)).map(({ type }) => type)).toEqual(["StateConflictDecided"])
    expect(await shared(b)).toEqual({ mode: 1 + tried.findIndex((thrown) => thrown === undefined) })
  })

  test("not where the values are others by now, which the inbox shows then", async () => {
    const { entry, ...couple } = await conflict()
    await couple.a.update({ shared: { mode: "w" } })
    const moved = await refusal(log.engine.conflicts.resolve(entry.id, { use: "theirs" }))
    expect(moved).toBeInstanceOf(ConflictMoved)
    expect(moved).toMatchObject({ conflict: entry.id, isGone: false })
    expect(await shared(couple.b)).toEqual({ mode: "z" })
    expect(await log.engine.conflicts.get(entry.id)).toMatchObject({
      status: "open",
      conflict: { theirs: "w" }
    })
    await log.engine.conflicts.resolve(entry.id, { use: "theirs" })
    expect(await shared(couple.b)).toEqual({ mode: "w" })
  })

  test("not where there is none any more, and then it is closed, and nothing else is done", async () => {
    const { entry, ...couple } = await conflict()
    await couple.b.update({ shared: { mode: "x" } })
    const { version } = await couple.b.read()
    const gone = await refusal(log.engine.conflicts.resolve(entry.id, { use: "ours" }))
    expect(gone).toBeInstanceOf(ConflictMoved)
    expect(gone).toMatchObject({ isGone: true })
    expect((gone as Error).message).toContain("Synchronise again")
    expect(await log.engine.conflicts.get(entry.id)).toMatchObject({ status: "resolved", resolution: null })
    expect((await couple.b.read()).version).toBe(version)
  })

  test("though whoever decided is gone: the next synchronisation does as was decided", async () => {
    const { entry, ...couple } = await conflict()
    const { digest, ...told } = entry.conflict
    await log.engine.emit(
      `stateconflict-${entry.id}`,
      {
        type: "StateConflictDecided",
        data: {
          source: { agent: couple.a.agent, name: "main" },
          target: { agent: couple.b.agent, name: "main" },
          path: entry.path,
          conflict: told,
          digest,
          resolution: { use: { value: "kept" } }
        }
      },
      { expected: "none", meta: { actor: "eve" } }
    )
    expect(await log.engine.conflicts.get(entry.id)).toMatchObject({ status: "decided", resolvedBy: "eve" })
    expect(
      await log.engine.detectConflicts({
        source: couple.a.agent,
        target: couple.b.agent,
        keys: ["/shared/**"]
      })
    ).toEqual([])
    expect(await sync(couple, { actor: "cron" })).toMatchObject({
      status: "synced",
      merged: ["/shared/mode"]
    })
    expect(await shared(couple.b)).toEqual({ mode: "kept" })
    expect(await log.engine.conflicts.get(entry.id)).toMatchObject({ status: "resolved", resolvedBy: "eve" })
  })

  test("and decided again where it comes up about something else", async () => {
    const { entry, ...couple } = await conflict()
    await log.engine.conflicts.resolve(entry.id, { use: "theirs" })
    await couple.a.update({ shared: { mode: "m" } })
    await couple.b.update({ shared: { mode: "n" } })
    expect(await sync(couple)).toMatchObject({ status: "conflicts", conflicts: [{ id: entry.id }] })
    await log.engine.conflicts.resolve(entry.id, { use: "ours" })
    expect(await shared(couple.b)).toEqual({ mode: "n" })
  })

  test("and decided again where the very same comes up once more, after both have met", async () => {
    const { entry, ...couple } = await conflict()
    await log.engine.conflicts.resolve(entry.id, { use: "theirs" })
    await couple.b.update({ shared: { mode: "x" } })
    expect(await sync({ a: couple.b, b: couple.a })).toMatchObject({ applied: ["/shared/mode"] })
    await couple.a.update({ shared: { mode: "y" } })
    await couple.b.update({ shared: { mode: "z" } })
    const { conflicts } = await sync(couple)
    expect(conflicts).toMatchObject([{ id: entry.id, base: "x", ours: "z", theirs: "y" }])
    expect(await log.engine.conflicts.get(entry.id)).toMatchObject({ status: "open", times: 1 })
  })

  test("of values that are too large for one event together", async () => {
    const long = (of: string) => of.repeat(600_000)
    const { entry, b } = await conflict({ base: "x", theirs: long("y"), ours: long("z") })
    expect(entry.conflict).not.toHaveProperty("ours")
    await log.engine.conflicts.resolve(entry.id, { use: "theirs" }, { by: "eve" })
    expect((await shared(b))["mode"]).toBe(long("y"))
    expect(await log.engine.conflicts.get(entry.id)).toMatchObject({ status: "resolved", resolvedBy: "eve" })
  })

  test("between branches, and in tiers of an agent's own, where those were synchronised", async () => {
    const { a, b } = await conflict()
    await a.branch("draft")
    await b.branch("draft")
    await a.on("draft").update({ local: { mood: "calm" } })
    await b.on("draft").update({ local: { mood: "wild" } })
    const { targets } = await log.engine.sync({
      from: { agent: a.agent, branch: "draft" },
      to: [{ agent: b.agent, branch: "draft" }],
      keys: ["/local/mood"],
      tiers: ["local"]
    })
    const { id } = targets[0]!.conflicts[0]! as { readonly id: string }
    expect(await log.engine.conflicts.get(id)).toMatchObject({
      sourceBranch: "draft",
      targetBranch: "draft",
      conflict: { kind: "add_add" }
    })
    await log.engine.conflicts.resolve(id, { use: "theirs" })
    expect((await b.on("draft").read()).local).toMatchObject({ mood: "calm" })
  })
})

test("a read model that is made anew has the same inbox, row by row", async () => {
  const { verified } = await log.engine.rebuild("states", { verify: true })
  expect(verified).toMatchObject({ sameDefinition: true })
})
