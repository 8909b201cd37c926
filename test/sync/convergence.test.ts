import fc from "fast-check"
import { describe, expect, test } from "vitest"
import type { Engine } from "../../src/index.ts"
import type { JsonObject, Rule } from "../../src/state.ts"
import { testLog, upTo } from "../log/test-log.ts"

// Whoever synchronises with whom, and in which order: in the end all have the same, counters the exact sums, and lists what everybody put
// into them, once; also where several engines do this, each of which remembers what it has seen.

const log = testLog()

const AGENTS = 4
const RUNS = Number(process.env["SYNC_RUNS"] ?? 8)
const rules: ReadonlyArray<Rule> = [
  { path: "/shared/count", number: "counter" },
  { path: "/shared/list", array: "append" }
]

type Step = { readonly by: number } & (
  | { readonly does: "count" | "append" | "set"; readonly agent: number }
  | { readonly does: "sync"; readonly from: number; readonly to: ReadonlyArray<number> }
)

const ENGINES = 2
const by = fc.integer({ min: 0, max: ENGINES - 1 })
const agent = fc.integer({ min: 0, max: AGENTS - 1 })
const steps: fc.Arbitrary<ReadonlyArray<Step>> = fc.array(
  fc.oneof(
    fc.record({ by, does: fc.constantFrom("count" as const, "append" as const, "set" as const), agent }),
    fc
      .record({
        by,
        does: fc.constant("sync" as const),
        from: agent,
        to: fc.uniqueArray(agent, { minLength: 1, maxLength: 2 })
      })
      .map(({ to, from, ...step }): Step => ({ ...step, from, to: to.filter((one) => one !== from) }))
  ),
  { maxLength: 24 }
)

let made = 0

const run = async (engines: ReadonlyArray<Engine>, program: ReadonlyArray<Step>) => {
  made += 1
  const states = upTo(AGENTS).map((n) => log.engine.state(`agent-${made}-${n}`))
  for (const state of states) await state.update({ local: { made: true } })
  const sync = async (from: number, to: ReadonlyArray<number>, engine: Engine = log.engine) => {
    if (to.length === 0) return []
    const { targets } = await engine.sync({
      from: states[from]!.agent,
      to: to.map((one) => states[one]!.agent),
      keys: ["/shared/**"],
      rules
    })
    expect(
      targets.flatMap(({ conflicts, error }) => [...conflicts, ...(error === undefined ? [] : [error])])
    ).toEqual([])
    return targets
  }
  const wanted = { count: 0, list: new Set<number>(), map: new Set<string>() }
  for (const [at, step] of program.entries()) {
    if (step.does === "sync") {
      await sync(step.from, step.to, engines[step.by])
      continue
    }
    const state = engines[step.by]!.state(states[step.agent]!.agent)
    const {
      count = 0,
      list = [],
      map = {}
    } = (await state.read()).shared as {
      count?: number
      list?: Array<number>
      map?: JsonObject
    }
    if (step.does === "count") await state.update({ shared: { count: count + 1 } })
    if (step.does === "append") await state.update({ shared: { list: [...list, at] } })
    if (step.does === "set") await state.update({ shared: { map: { ...map, [`k${at}`]: step.agent } } })
    wanted.count += step.does === "count" ? 1 : 0
    if (step.does === "append") wanted.list.add(at)
    if (step.does === "set") wanted.map.add(`k${at}`)
  }
  // All give to the first, and that one to all.
  const others = upTo(AGENTS - 1)
  for (const one of others) await sync(one, [0])
  await sync(0, others)
  const values = await Promise.all(states.map(async (state) => (await state.read()).shared))
  for (const value of values) expect(value).toEqual(values[0])
  const {
    count = 0,
    list = [],
    map = {}
  } = values[0] as { count?: number; list?: Array<number>; map?: JsonObject }
  expect(count).toBe(wanted.count)
  expect(list.toSorted((a, b) => a - b)).toEqual([...wanted.list].toSorted((a, b) => a - b))
  expect(new Set(Object.keys(map))).toEqual(wanted.map)
  // Nothing is left to do, whoever asks; and when all have heard of all, nothing is written.
  const everybody = async () => {
    for (const from of [0, ...others]) {
      const to = [0, ...others].filter((one) => one !== from)
      for (const { status } of await sync(from, to)) expect(status).toBe("up_to_date")
    }
  }
  // Two who meet for the first time have that to tell, and each round may bring others to have something to tell each other at all.
  for (let rounds = 0; rounds < AGENTS; rounds += 1) await everybody()
  const end = await log.engine.settled()
  await everybody()
  expect(await log.engine.settled()).toBe(end)
  for (const state of states) expect(await state.verify()).toMatchObject({ isSound: true })
}

describe("agents that synchronise as they like", () => {
  test("come to the same, and to all that anybody did", async () => {
    await fc.assert(
      fc.asyncProperty(steps, (program) => run([log.engine, log.engine], program)),
      { numRuns: RUNS, endOnFailure: true }
    )
  })

  test("come to the same where another engine does some of it", async () => {
    const engines = [log.engine, await log.open()]
    await fc.assert(
      fc.asyncProperty(steps, (program) => run(engines, program)),
      { numRuns: RUNS, endOnFailure: true }
    )
  })

  test("have what they know of each other in the read model, which comes out the same when it is made anew", async () => {
    await log.engine.settled()
    const tables = ["state_known", "state_sync_events"]
    const contents = () =>
      Promise.all(
        tables.map((table) => log.db.query(`select * from tidemark.${table} one order by one::text`))
      )
    const before = await contents()
    expect(before.every((rows) => rows.length > 0)).toBe(true)
    const { verified } = await log.engine.rebuild("states", { verify: true })
    expect(verified?.tables.every(({ different }) => different === 0)).toBe(true)
    expect(await contents()).toEqual(before)
  })
})
