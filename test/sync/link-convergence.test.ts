import fc from "fast-check"
import { beforeAll, describe, expect, test } from "vitest"
import type { JsonObject, Rule } from "../../src/state.ts"
import { testLog, upTo } from "../log/test-log.ts"
import { linksQuiet } from "./quiet.ts"
import { AGENTS, TOPOLOGIES, topologies, type Topology } from "./topologies.ts"

// Whatever the links look like, and whoever changes what while they are at work or paused: in the end all have the same, counters the exact
// sums, lists what everybody put into them, once, and every value is explained by the log.

const log = testLog()

const RUNS = Number(process.env["LINK_RUNS"] ?? 3)
const PATIENCE_MS = 60_000

const rules: ReadonlyArray<Rule> = [
  { path: "/shared/count", number: "counter" },
  { path: "/shared/list", array: "append" }
]

beforeAll(() => log.engine.defineState({ rules }))

type Step =
  | { readonly does: "count" | "append" | "set" | "remove"; readonly agent: number }
  | { readonly does: "pause" | "resume" | "wait"; readonly link: number }

const agent = fc.integer({ min: 0, max: AGENTS - 1 })
const link = fc.integer({ min: 0, max: AGENTS - 1 })
const steps: fc.Arbitrary<ReadonlyArray<Step>> = fc.array(
  fc.oneof(
    {
      weight: 5,
      arbitrary: fc.record({ does: fc.constantFrom("count" as const, "append" as const), agent })
    },
    { weight: 2, arbitrary: fc.record({ does: fc.constantFrom("set" as const, "remove" as const), agent }) },
    {
      weight: 2,
      arbitrary: fc.record({
        does: fc.constantFrom("pause" as const, "resume" as const, "wait" as const),
        link
      })
    }
  ),
  { minLength: 5, maxLength: 20 }
)

let made = 0

const change = async (name: string, does: string, at: number): Promise<void> => {
  const state = log.engine.state(name)
  const { shared, token } = await state.read({ tiers: ["shared"] })
  const { count = 0, list = [] } = shared as { count?: number; list?: Array<number> }
  const by = { base: token }
  if (does === "count") await state.update({ shared: { count: count + 1 } }, by)
  if (does === "append") await state.update({ shared: { list: [...list, at] } }, by)
  if (does === "set") await state.update({ shared: { [`k${at}`]: name } })
  const old = Object.keys(shared).find((key) => key.startsWith("k"))
  if (does === "remove" && old !== undefined) await state.update({ shared: { [old]: null } })
}

const converge = async (topology: Topology, program: ReadonlyArray<Step>): Promise<void> => {
  made += 1
  const names = upTo(AGENTS).map((n) => `agent-${made}-${n}`)
  for (const name of names) await log.engine.state(name).update({ local: { name } })
  const links = await topologies(log.engine)[topology](names)
  for (const [at, step] of program.entries()) {
    if ("agent" in step) await change(names[step.agent]!, step.does, at)
    else if (step.does === "wait") await log.engine.settled()
    else await links[step.link % links.length]![step.does]()
  }
  for (const one of links) await one.resume()
  await linksQuiet(log.engine, PATIENCE_MS)

  const shared = await Promise.all(
    names.map(async (name) => (await log.engine.state(name).read({ tiers: ["shared"] })).shared as JsonObject)
  )
  for (const one of shared) expect(one).toEqual(shared[0])
  const did = (what: string) => program.flatMap(({ does }, at) => (does === what ? [at] : []))
  const { count = 0, list = [] } = shared[0] as { count?: number; list?: Array<number> }
  expect(count).toBe(did("count").length)
  expect(list.toSorted((a, b) => a - b)).toEqual(did("append"))
  for (const name of [...names, ...links.map(({ hub }) => hub)])
    expect(await log.engine.state(name).verify()).toMatchObject({ isSound: true })
  expect(await log.engine.states.syncs({ agent: names[0]!, status: "conflicts" })).toEqual([])
  for (const one of links) await one.end()
}

describe("agents that are linked", () => {
  test.each(TOPOLOGIES)("as a %s converge", { timeout: RUNS * PATIENCE_MS }, async (topology) => {
    await fc.assert(
      fc.asyncProperty(steps, (program) => converge(topology, program)),
      { numRuns: RUNS, endOnFailure: true }
    )
  })
})
