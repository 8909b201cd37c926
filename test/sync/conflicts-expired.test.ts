import { Effect, ManagedRuntime, Schema } from "effect"
import { describe, expect, test } from "vitest"
import { layer } from "../../src/effect.ts"
import { InvalidArgument } from "../../src/index.ts"
import { ConflictEnded, type ConflictPolicy, type StateDefinition } from "../../src/state.ts"
import { States } from "../../src/state/states.ts"
import { expireConflicts } from "../../src/sync/conflicts/expiring.ts"
import { testLog } from "../log/test-log.ts"
import { until } from "../support/eventually.ts"
import { conflictScene, refusal } from "./conflict-scene.ts"

// What nobody decides in time is decided as was declared, or marked.

const log = testLog()
const { sync, inbox, conflict, shared, noted } = conflictScene(log, "late")

const AT_ONCE: ConflictPolicy = { expireAfterMs: 1 }

const sweptTo = (id: string, status: string) =>
  until(async () => {
    await log.engine.states.sweep()
    return (await log.engine.conflicts.get(id)).status === status
  })

describe("a conflict that is open for too long", () => {
  test("is decided by the side that was declared, once, whoever sweeps", async () => {
    await log.engine.defineState({ agentType: "hasty", conflicts: { ...AT_ONCE, use: "theirs" } })
    const { entry, ...couple } = await conflict({}, "hasty")
    const engines = [log.engine, await log.open(), await log.open()]
    await until(async () => {
      await Promise.all(engines.map(({ states }) => states.sweep()))
      return (await log.engine.conflicts.get(entry.id)).status === "resolved"
    })
    expect(await noted(entry.id)).toMatchObject([{ type: "StateConflictDecided", meta: { actor: "expiry" } }])
    expect(await shared(couple.b)).toEqual({ mode: "y" })
    expect(await log.engine.conflicts.get(entry.id)).toMatchObject({
      resolution: { use: "theirs" },
      resolvedBy: "expiry"
    })
    expect(await couple.b.blame("/shared/mode")).toMatchObject([{ actor: "expiry" }])
  })

  test("is marked where nothing was declared to decide it, and opens again with other values alone", async () => {
    await log.engine.defineState({ agentType: "lazy", conflicts: AT_ONCE })
    const { entry, ...couple } = await conflict({}, "lazy")
    await log.engine.conflicts.assign(entry.id, "eve")
    await sweptTo(entry.id, "expired")
    expect((await noted(entry.id)).at(-1)).toMatchObject({
      type: "StateConflictClosed",
      data: { why: "expired" },
      meta: { actor: "expiry" }
    })
    expect(await shared(couple.b)).toEqual({ mode: "z" })
    expect(await refusal(log.engine.conflicts.resolve(entry.id, { use: "ours" }))).toBeInstanceOf(
      ConflictEnded
    )
    await sync(couple)
    expect(await inbox(couple)).toMatchObject([{ status: "expired", times: 2 }])
    await log.engine.defineState({ agentType: "lazy" })
    await couple.a.update({ shared: { mode: "w" } })
    await sync(couple)
    const again = await log.engine.conflicts.get(entry.id)
    expect(again).toMatchObject({ status: "open", times: 1, assignee: null, conflict: { theirs: "w" } })
    expect(again.openedAt.getTime()).toBeGreaterThan(entry.openedAt.getTime())
    await log.engine.conflicts.resolve(entry.id, { use: "theirs" })
    expect(await shared(couple.b)).toEqual({ mode: "w" })
  })

  test("waits as long as the nearest definition says", async () => {
    const hour = 3_600_000
    await log.engine.defineState({ agentType: "patient", conflicts: AT_ONCE })
    const one = await conflict({}, "patient")
    const other = await conflict({}, "patient")
    await log.engine.defineState({ agent: other.b.agent, conflicts: { expireAfterMs: hour } })
    await sweptTo(one.entry.id, "expired")
    expect(await log.engine.conflicts.get(other.entry.id)).toMatchObject({ status: "open" })
    await log.engine.defineState({ agent: other.b.agent, conflicts: AT_ONCE })
    await sweptTo(other.entry.id, "expired")
  })

  test("of a merge is decided, too, and the merge finished", async () => {
    const type = "merger"
    await log.engine.defineState({ agentType: type, conflicts: { ...AT_ONCE, use: "theirs" } })
    const state = log.engine.state("late-merge", { type })
    await state.update({ shared: { mode: "x" } })
    await state.branch("draft")
    await state.on("draft").update({ shared: { mode: "y" } })
    await state.update({ shared: { mode: "z" } })
    await state.merge("draft")
    const [entry] = await log.engine.conflicts.list({ agent: state.agent })
    await sweptTo(entry!.id, "resolved")
    expect(await shared(state)).toEqual({ mode: "y" })
    expect(await state.merges()).toMatchObject([{ status: "merged" }])
  })

  test("of a merge is marked, and stays open to whoever knows the merge", async () => {
    const type = "muser"
    await log.engine.defineState({ agentType: type, conflicts: AT_ONCE })
    const state = log.engine.state("late-marked", { type })
    await state.update({ shared: { mode: "x" } })
    await state.branch("draft")
    await state.on("draft").update({ shared: { mode: "y" } })
    await state.update({ shared: { mode: "z" } })
    const merge = await state.merge("draft")
    const [entry] = await log.engine.conflicts.list({ agent: state.agent })
    await sweptTo(entry!.id, "expired")
    await merge.resolve("/shared/mode", { use: "theirs" })
    expect(await log.engine.conflicts.get(entry!.id)).toMatchObject({ status: "decided" })
    await merge.finish()
    expect(await log.engine.conflicts.get(entry!.id)).toMatchObject({ status: "resolved" })
  })
})

test("what cannot be ended keeps nothing from it that opened later", async () => {
  const endless = await conflict({}, "endless")
  const shortly = await conflict({}, "shortly")
  // What is to decide it is nothing that the target may be.
  const shared = Schema.Struct({ mode: Schema.optionalKey(Schema.Literal("z")) })
  const endlessly: StateDefinition = {
    agentType: "endless",
    tiers: { shared },
    conflicts: { ...AT_ONCE, use: "theirs" }
  }
  await log.engine.defineState({ agentType: "shortly", conflicts: AT_ONCE })
  const runtime = ManagedRuntime.make(layer({ database: log.db.url, logger: false, readModels: "follow" }))
  try {
    // What an engine was not told of a type, it does not check.
    await runtime.runPromise(Effect.flatMap(States, ({ define }) => define(endlessly)))
    const swept = Effect.flatMap(States, (states) => expireConflicts(states, 1))
    await until(async () => (await runtime.runPromise(swept)) > 0)
  } finally {
    await runtime.dispose()
  }
  // Another engine has said so: this one hears of it.
  await until(async () => (await log.engine.conflicts.get(shortly.entry.id)).status === "expired")
  expect(await log.engine.conflicts.get(endless.entry.id)).toMatchObject({ status: "open" })
})

/** Two members of a link, of a type, that have contradicted each other, and what that left on the way into the hub. */
const contradicted = async (type: string) => {
  const group = [1, 2].map((n) => log.engine.state(`late-${type}-${n}`, { type }))
  for (const state of group) await state.update({ shared: { mode: "x" } })
  const link = await log.engine.link({ group: group.map(({ agent }) => agent), keys: ["/shared/**"] })
  await link.pause()
  for (const state of group) await state.update({ shared: { mode: state.agent } })
  await link.resume()
  const [entry] = await until(async () => {
    const found = await log.engine.conflicts.list({ agent: link.hub, status: "open" })
    return found.length > 0 ? found : undefined
  })
  expect(entry).toMatchObject({ target: link.hub })
  return { group, entry: entry! }
}

test("what a link cannot decide waits as long as the definition of the member has it", async () => {
  const { entry } = await contradicted("linking")
  await log.engine.defineState({ agentType: "linking", conflicts: AT_ONCE })
  await sweptTo(entry.id, "expired")
})

test("theirs is what others of a link have, though it is the hub that the conflict is in", async () => {
  const { group, entry } = await contradicted("yielding")
  await log.engine.defineState({ agentType: "yielding", conflicts: { ...AT_ONCE, use: "theirs" } })
  await sweptTo(entry.id, "resolved")
  const others = group.find(({ agent }) => agent !== entry.source)!.agent
  await until(async () => {
    const both = await Promise.all(group.map(async (state) => (await shared(state))["mode"]))
    return both.every((mode) => mode === others)
  })
})

test.each<[unknown, RegExp]>([
  [null, /is an object/],
  [[1], /is an object/],
  [{}, /expireAfterMs of "conflicts" is undefined/],
  [{ expireAfterMs: 0 }, /above 0/],
  [{ expireAfterMs: "1" }, /above 0/],
  [{ expireAfterMs: Number.NaN }, /above 0/],
  [{ expireAfterMs: Number.POSITIVE_INFINITY }, /100 years/],
  [{ expireAfterMs: 1, use: "base" }, /"ours" or "theirs"/],
  [{ expireAfterMs: 1, by: "ours" }, /has no "by"/]
])("conflicts cannot be declared to expire by %j", async (conflicts, message) => {
  const refused = await refusal(
    log.engine.defineState({ agentType: "odd", conflicts: conflicts as ConflictPolicy })
  )
  expect(refused).toBeInstanceOf(InvalidArgument)
  expect((refused as Error).message).toMatch(message)
})

test("a read model that is made anew has the same inbox, row by row", async () => {
  const { verified } = await log.engine.rebuild("states", { verify: true })
  expect(verified).toMatchObject({ sameDefinition: true })
})
