import { describe, expect, test } from "vitest"
import { InvalidArgument } from "../../src/index.ts"
import type { Remember, Resolution } from "../../src/state.ts"
import { eventsOf, testLog, upTo } from "../log/test-log.ts"
import { conflictScene, refusal } from "./conflict-scene.ts"

// A resolution that is remembered is a rule, which decides what comes after.

const log = testLog()
const { apart, sync, inbox, conflict, shared } = conflictScene(log, "remembered")

type Conflict = Awaited<ReturnType<typeof conflict>>

const further = async ({ a, b }: Pick<Conflict, "a" | "b">, [theirs, ours] = ["m", "n"]) => {
  await a.update({ shared: { mode: theirs } })
  await b.update({ shared: { mode: ours } })
}

const definitionOf = async (scope: string) => (await eventsOf(log.engine, `statedefinition-${scope}`)).at(-1)!

describe("a resolution that is remembered decides what comes after by a rule", () => {
  test.each<[Resolution["use"] & string, string, string]>([
    ["theirs", "source_wins", "m"],
    ["ours", "target_wins", "n"]
  ])("%s as %s, of that path of the target", async (use, strategy, value) => {
    const { entry, ...couple } = await conflict()
    const options = { by: "eve", reason: "always", remember: true }
    await log.engine.conflicts.resolve(entry.id, { use }, options)
    expect(await definitionOf(`agent:${couple.b.agent}`)).toMatchObject({
      data: { rules: [], remembered: [{ path: "/shared/mode", strategy }] },
      meta: { actor: "eve", reason: "always" }
    })
    await further(couple)
    expect(await sync(couple)).toMatchObject({ status: "synced", merged: ["/shared/mode"], conflicts: [] })
    expect(await shared(couple.b)).toEqual({ mode: value })
    expect(await inbox(couple, { status: "open" })).toEqual([])
    // The other way round nobody has said anything.
    await further(couple, ["o", "p"])
    expect(await sync({ a: couple.b, b: couple.a })).toMatchObject({ status: "conflicts" })
  })

  test.each<[string, Remember]>([
    ["of the type of the target", { for: "type" }],
    ["of all agents", { for: "all", path: "/shared/*" }]
  ])("%s", async (_, remember) => {
    const type = `kind-${remember.for}`
    const { entry } = await conflict({}, type)
    await log.engine.conflicts.resolve(entry.id, { use: "theirs" }, { remember })
    const others = await apart({ mode: "x" }, { mode: "y" }, { mode: "z" }, type)
    expect(await sync(others)).toMatchObject({ status: "synced", conflicts: [] })
    expect(await shared(others.b)).toEqual({ mode: "y" })
    await log.engine.defineState({ agentType: type, remembered: [] })
    await log.engine.defineState({ remembered: [] })
    await further(others)
    expect(await sync(others)).toMatchObject({ status: "conflicts" })
  })
})

test("what is remembered outlives who declares the rest anew, and a later resolution of the path takes its place", async () => {
  const { entry, ...couple } = await conflict()
  const agent = couple.b.agent
  await log.engine.conflicts.resolve(entry.id, { use: "theirs" }, { remember: true })
  const rules = [{ path: "/shared/list", array: "set" as const }]
  const { version } = await log.engine.defineState({ agent, rules })
  expect(await log.engine.defineState({ agent, rules })).toMatchObject({ version })
  expect((await definitionOf(`agent:${agent}`)).data).toEqual({
    rules,
    remembered: [{ path: "/shared/mode", strategy: "source_wins" }]
  })
  await log.engine.defineState({ agent, remembered: [] })
  await further(couple)
  await sync(couple)
  await log.engine.conflicts.resolve(entry.id, { use: "ours" }, { remember: true })
  expect((await definitionOf(`agent:${agent}`)).data).toEqual({
    rules: [],
    remembered: [{ path: "/shared/mode", strategy: "target_wins" }]
  })
})

test("many that are remembered at once are all there", async () => {
  const keys = upTo(8).map((n) => `k${n}`)
  const of = (value: number) => Object.fromEntries(keys.map((key) => [key, value]))
  const couple = await apart(of(0), of(1), of(2))
  await sync(couple)
  const entries = await inbox(couple)
  const other = await log.open()
  await Promise.all(
    entries.map(({ id }, n) =>
      (n % 2 === 0 ? log.engine : other).conflicts.resolve(id, { use: "theirs" }, { remember: true })
    )
  )
  const { data } = await definitionOf(`agent:${couple.b.agent}`)
  const { remembered } = data as { readonly remembered: ReadonlyArray<{ readonly path: string }> }
  expect(remembered.map(({ path }) => path).toSorted()).toEqual(keys.map((key) => `/shared/${key}`))
  expect(await shared(couple.b)).toEqual(of(1))
})

describe("what cannot be remembered is refused, and nothing is decided:", () => {
  test.each<[string, Resolution["use"], unknown, RegExp]>([
    ["a value", { value: 1 }, true, /Only ours or theirs/],
    ["the base", "base", {}, /Only ours or theirs/],
    ["for a type that there is not", "ours", { for: "type" }, /has no type/],
    ["for somebody else", "ours", { for: "you" }, /"agent", "type" or "all"/],
    ["as no object", "ours", "always", /give true, or/],
    ["at another path", "ours", { path: "/shared/other" }, /does not match \/shared\/mode/],
    ["at no path", "ours", { path: 7 }, /does not match/]
  ])("%s", async (_, use, remember, message) => {
    const { entry, b } = await conflict()
    const before = await b.read()
    const refused = await refusal(
      log.engine.conflicts.resolve(entry.id, { use }, { remember: remember as true })
    )
    expect(refused).toBeInstanceOf(InvalidArgument)
    expect((refused as Error).message).toMatch(message)
    expect(await b.read()).toEqual(before)
    expect(await log.engine.conflicts.get(entry.id)).toMatchObject({ status: "open" })
    expect(await eventsOf(log.engine, `statedefinition-agent:${b.agent}`)).toEqual([])
  })
})
