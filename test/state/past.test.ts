import type { Json } from "../../src/base/json-value.ts"
import { applyPatch } from "../../src/base/patch.ts"
import { describe, expect, test } from "vitest"
import { CheckpointExpired, StateCorrupt, UnknownCheckpoint, UnknownRef } from "../../src/errors.ts"
import { testLog } from "../log/test-log.ts"
import { damageEvent } from "./damage.ts"

const log = testLog()

let made = 0
const fresh = () => log.engine.state(`past-${(made += 1)}`)

describe("an earlier version", () => {
  test("is read by number, commit, tag, position, time and token", async () => {
    const state = fresh()
    const first = await state.update({ local: { n: 1 } })
    const { position } = await log.engine.emit("other-1", { type: "T" })
    const time = new Date()
    const commit = await state.commit("one", { author: "me" })
    await state.tag("v1", commit)
    await state.update({ local: { n: 2, more: "x" } })
    const one = { local: { n: 1 } }
    for (const ref of [
      { version: first.version },
      { commit: commit.commit },
      { tag: "v1" },
      { position },
      { time },
      { token: first.token }
    ])
      expect(await state.read(ref)).toMatchObject({ ...one, hash: first.hash })
    expect((await state.read({ version: 2 })).local).toEqual({ n: 1 })
    await expect(state.read({ version: 99 })).rejects.toBeInstanceOf(UnknownRef)
    await expect(state.read({ tag: "v2" })).rejects.toBeInstanceOf(UnknownRef)
    await expect(state.read({ commit: crypto.randomUUID() })).rejects.toBeInstanceOf(UnknownRef)
  })

  test("of a long array is made of its patches", async () => {
    const state = fresh()
    const words = Array.from({ length: 40 }, (_, n) => `${"w".repeat(50)}${n}`)
    for (const word of words)
      await state
        .patch([{ op: "add", path: "/shared/list/-", value: word }])
        .catch(() => state.update({ shared: { list: [word] } }))
    await state.diff(2, 3)
    for (const upTo of [1, 2, 7, 20, 39]) {
      const { shared } = await state.read({ version: upTo + 1 })
      expect(shared).toEqual({ list: words.slice(0, upTo) })
    }
    expect(
      await log.db.query(
        "select count(*)::int as versions, count(value)::int as anchors from tidemark.state_key_versions join tidemark.state_branches using (branch) where agent = $1",
        [state.agent]
      )
    ).toEqual([{ versions: 40, anchors: expect.any(Number) }])
  })
})

describe("history, diff and blame", () => {
  test("tell what happened, on the branches before, too", async () => {
    const state = fresh()
    await state.update({ shared: { plan: ["a"] } }, { actor: "ann", reason: "because" })
    await state.commit("first", { author: "ann" })
    await state.branch("try", { description: "a try" })
    const branch = state.on("try")
    await branch.patch([{ op: "add", path: "/shared/plan/-", value: "b" }], { actor: "bob", reason: "more" })
    const entries = await branch.history()
    expect(entries.map(({ type, branch: of }) => `${of} ${type}`)).toEqual([
      "try StateChanged",
      "try StateBranched",
      "main StateCommitted",
      "main StateChanged",
      "main StateCreated"
    ])
    expect(entries[0]).toMatchObject({ actor: "bob", reason: "more", changed: ["/shared/plan"] })
    const rest = await branch.history({ limit: 2, before: entries[1]!.position })
    expect(rest.map(({ type }) => type)).toEqual(["StateCommitted", "StateChanged"])
    expect(await state.diff({ branch: "main" }, { branch: "try" })).toEqual([
      { path: "/shared/plan/1", kind: "added", after: "b" }
    ])
    expect(await state.diff({ branch: "try" }, { branch: "main" }, { format: "text" })).toBe(
      '- /shared/plan/1 "b"'
    )
    expect(await branch.blame("/shared/plan/0")).toMatchObject([{ actor: "ann", branch: "main" }])
    expect(await branch.blame("/shared/plan/1")).toMatchObject([{ actor: "bob", reason: "more" }])
  })
})

test("a diff as a patch makes one version of the other, and leaves the keys alone that are the same", async () => {
  const state = fresh()
  await state.update({
    shared: { a: 1, b: { deep: [1, 2, 3] }, stays: "as it is" },
    local: { "x/y": 1, gone: 1 }
  })
  const before = await state.read()
  await state.update({
    shared: { a: 2, b: { deep: [1, 9] }, c: null, d: "new" },
    local: { "x/y": 2, gone: null }
  })
  const after = await state.read()
  const patch = await state.diff(before.version, after.version, { format: "patch" })
  const tiersOf = ({ local, shared, session, persistent }: typeof before) => ({
    local,
    shared,
    session,
    persistent
  })
  expect(applyPatch(tiersOf(before) as unknown as Json, patch)).toEqual(tiersOf(after))
  expect(await state.diff(before.version, undefined, { format: "text" })).toBe(
    [
      "- /local/gone 1",
      "~ /local/x~1y 1 → 2",
      "~ /shared/a 1 → 2",
      "~ /shared/b/deep [1,2,3] → [1,9]",
      '+ /shared/d "new"'
    ].join("\n")
  )
})

describe("values of old versions", () => {
  test("are let go of where nothing names them, and every version is read as before", async () => {
    const state = fresh()
    for (let n = 1; n <= 30; n++)
      await state.update({ local: { n, list: Array.from({ length: n }, (_, at) => at) } })
    await state.tag("kept", { version: 12 })
    const reads = () => Promise.all(Array.from({ length: 30 }, (_, n) => state.read({ version: n + 1 })))
    const before = await reads()
    const options = { agent: state.agent, olderThanMs: 0 }
    const [would] = await log.engine.states.compact({ ...options, dryRun: true })
    expect(would).toMatchObject({
      agent: state.agent,
      branch: "main",
      before: 32,
      values: expect.any(Number)
    })
    expect(await log.engine.states.compact(options)).toEqual([would])
    expect(await log.engine.states.compact({ ...options, dryRun: true })).toEqual([])
    expect((await reads()).map(({ local, hash }) => [local, hash])).toEqual(
      before.map(({ local, hash }) => [local, hash])
    )
    const report = await log.engine.rebuild("states", { verify: true })
    expect(report.verified).toMatchObject({ sameDefinition: true })
  })
})

test("a long value is not written anew for every change, and is there whole, now and then, and after a compaction", async () => {
  const state = fresh()
  await state.update({ shared: { notes: [] } })
  const note = (n: number) => `${n} `.padEnd(1_000, "abcdefghij")
  const all = Array.from({ length: 60 }, (_, n) => note(n))
  for (const value of all) await state.patch([{ op: "add", path: "/shared/notes/-", value }])
  await log.engine.states.branches({ agent: state.agent })
  const kept = await log.db.query<{ here: boolean; anchors: number }>(
    `select key.value is not null as here, count(version.value)::integer as anchors
     from tidemark.state_keys key join tidemark.state_key_versions version using (branch, tier, key)
     where branch = (select branch from tidemark.state_branches where agent = $1) group by 1`,
    [state.agent]
  )
  // At 8 kB and, from there, each time that as much was added again.
  expect(kept).toEqual([
    { here: false, anchors: expect.toSatisfy((count: number) => count > 2 && count < 12) }
  ])

  const whole = async () => {
    const engine = await log.open()
    const of = engine.state(state.agent)
    expect((await of.read()).shared).toEqual({ notes: all })
    expect((await of.read({ version: 32 })).shared).toEqual({ notes: all.slice(0, 30) })
    expect((await of.verify()).isSound).toBe(true)
    await of.branch(`from-${Math.random().toString(36).slice(2)}`)
    expect(await engine.states.find({ shared: { notes: [all[59]!] } })).toEqual([{ agent: state.agent }])
  }
  await whole()
  await log.engine.states.compact({ agent: state.agent, olderThanMs: 0 })
  await whole()
  await state.update({ shared: { notes: ["short again"] } })
  expect((await state.read({ paths: ["/shared/notes"] })).shared).toEqual({ notes: ["short again"] })
  expect((await log.engine.rebuild("states", { verify: true })).verified).toMatchObject({
    sameDefinition: true
  })
})

describe("a revert", () => {
  test("undoes a commit, or one version, and nothing else", async () => {
    const state = fresh()
    await state.update({ local: { a: 1, list: ["x"] } })
    await state.commit("first")
    await state.update({ local: { a: 2 } })
    await state.update({ local: { b: 3 } })
    const second = await state.commit("second")
    const third = await state.update({ local: { c: 4 } })
    await state.revert(second, { author: "ann" })
    expect((await state.read()).local).toEqual({ a: 1, list: ["x"], c: 4 })
    await state.revert({ version: third.version })
    expect((await state.read()).local).toEqual({ a: 1, list: ["x"] })
    expect((await state.history({ limit: 2 })).map(({ type, actor }) => [type, actor])).toEqual([
      ["StateReverted", undefined],
      ["StateReverted", "ann"]
    ])
  })

  test("of what was changed again since is a conflict, or is decided by a strategy", async () => {
    const state = fresh()
    await state.update({ local: { a: 1 } })
    await state.commit("first")
    await state.update({ local: { a: 2 } })
    const second = await state.commit("second")
    await state.update({ local: { a: 3 } })
    await expect(state.revert(second)).rejects.toMatchObject({
      conflicts: [{ path: "/local/a", base: 2, ours: 3, theirs: 1 }]
    })
    await state.revert(second.commit, { strategy: "source_wins" })
    expect((await state.read()).local).toEqual({ a: 1 })
  })
})

test("a revert of an update that is several events undoes all of them, whichever it is given", async () => {
  const state = fresh()
  await state.update({ local: { stays: 1 } })
  const long = (letter: string) => letter.repeat(400 * 1024)
  const update = () => state.update({ local: { a: long("a"), b: long("b"), c: long("c") } })
  const before = await state.read()
  const last = await update()
  expect(last.version).toBe(before.version + 3)
  expect((await state.revert(last.version)).changed).toEqual(["/local/a", "/local/b", "/local/c"])
  expect((await state.read()).hash).toBe(before.hash)
  const again = await update()
  expect((await state.revert(again.version - 1)).hash).toBe(before.hash)
})

test("a revert of a checkpoint of several agents undoes nothing, and nothing that came after it", async () => {
  const [one, other] = [fresh(), fresh()]
  const written = [await one.update({ local: { n: 1 } }), await other.update({ local: { n: 1 } })]
  await log.engine.checkpoint({ agents: [one.agent, other.agent] })
  for (const [at, state] of [one, other].entries()) {
    await state.update({ local: { n: 2 } })
    expect((await state.revert(written[at]!.version + 1)).changed).toEqual([])
    expect((await state.read()).local).toEqual({ n: 2 })
  }
})

describe("a checkpoint", () => {
  test("is restored, as it was, or with what came since", async () => {
    const state = fresh()
    await state.update({ local: { a: 1, b: { c: 2 } } })
    const point = await state.checkpoint({ type: "before", description: "d" })
    await state.update({ local: { a: 9, b: null, d: 4 } })
    await state.restore(point, { merge: true })
    expect((await state.read()).local).toEqual({ a: 1, b: { c: 2 }, d: 4 })
    const restored = await state.restore(point.checkpoint)
    expect((await state.read()).local).toEqual({ a: 1, b: { c: 2 } })
    expect(restored.changed).toEqual(["/local/d"])
    expect((await state.read()).hash).toBe((await state.read({ version: point.parts[0]!.version })).hash)
  })

  test("that expired, was dropped, is another's or none is refused", async () => {
    const [state, other] = [fresh(), fresh()]
    await state.update({ local: { a: 1 } })
    await other.update({ local: { a: 1 } })
    const expired = await state.checkpoint({ expiresAt: new Date(Date.now() - 1) })
    await expect(state.restore(expired)).rejects.toBeInstanceOf(CheckpointExpired)
    const foreign = await other.checkpoint()
    await expect(state.restore(foreign)).rejects.toThrow(/not of/)
    await other.dropCheckpoint(foreign.checkpoint)
    await expect(other.restore(foreign)).rejects.toThrow(/it was deleted/)
    await expect(state.restore(crypto.randomUUID())).rejects.toBeInstanceOf(UnknownCheckpoint)
  })
})

test("a session begins empty, and ends with what it had", async () => {
  const state = fresh()
  await state.startSession("s1")
  await state.update({ session: { step: 1 }, local: { kept: true } })
  await state.startSession("s2")
  expect((await state.read()).session).toEqual({})
  await state.update({ session: { step: 2 } })
  await state.endSession()
  expect(await state.read()).toMatchObject({ session: {}, local: { kept: true } })
})

describe("a damaged state", () => {
  test("is found, read up to its last good version, and repaired", async () => {
    const state = fresh()
    for (let n = 1; n <= 5; n++) await state.update({ local: { n } })
    expect(await state.verify()).toMatchObject({ isSound: true, version: 6, events: 6 })
    await damageEvent(log, state, 4)
    const found = await state.verify()
    expect(found).toMatchObject({ isSound: false, lastGood: 3, damaged: { version: 4 } })
    const engine = await log.open()
    await engine.rebuild("states")
    const other = engine.state(state.agent)
    await expect(other.read()).rejects.toBeInstanceOf(StateCorrupt)
    await expect(other.update({ local: { n: 7 } })).rejects.toBeInstanceOf(StateCorrupt)
    expect((await other.read({ version: 3 })).local).toEqual({ n: 2 })
    const repaired = await other.repair({ actor: "ann", reason: "damage" })
    expect(repaired).toMatchObject({ isSound: true, repairedAt: 7 })
    expect((await other.read()).local).toEqual({ n: 2 })
    await other.update({ local: { n: 8 } })
    expect((await other.read()).local).toEqual({ n: 8 })
    await expect(other.read({ version: 5 })).rejects.toBeInstanceOf(StateCorrupt)
  })

  test("of which only what is kept ready is damaged is made anew", async () => {
    const state = fresh()
    await state.update({ local: { n: 1 }, shared: { m: 1 } })
    await state.diff(1, 2)
    const rows = await log.db.query<{ branch: string }>(
      "select branch from tidemark.state_branches where agent = $1",
      [state.agent]
    )
    await log.db.query("update tidemark.state_keys set value = '7' where branch = $1 and key = 'n'", [
      rows[0]!.branch
    ])
    const other = (await log.open()).state(state.agent)
    expect(await other.verify()).toMatchObject({ isSound: false, damaged: undefined, stale: ["/local/n"] })
    expect(await other.repair()).toMatchObject({ isSound: true })
    expect((await other.read()).local).toEqual({ n: 1 })
  })
})
