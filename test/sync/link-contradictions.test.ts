import fc from "fast-check"
import { beforeAll, describe, expect, test } from "vitest"
import type { InboxEntry, JsonObject, Rule } from "../../src/state.ts"
import { ConflictEnded, ConflictMoved } from "../../src/state.ts"
import { testLog, upTo } from "../log/test-log.ts"
import { linksQuiet } from "./quiet.ts"
import { AGENTS, TOPOLOGIES, topologies, type Topology } from "./topologies.ts"

// Whoever contradicts whom while links are at work or paused: whatever is not the same everywhere is in the inbox, and once that is decided it is.

const log = testLog()

const RUNS = Number(process.env["LINK_RUNS"] ?? 3)
const PATIENCE_MS = 60_000

/** So often decisions are passed on, which others may have taken otherwise: each hub that they come to may have its own. */
const ROUNDS = 30

const rules: ReadonlyArray<Rule> = [{ path: "/shared/count", number: "counter" }]

beforeAll(() => log.engine.defineState({ rules }))

type Step =
  | { readonly does: "set" | "remove" | "count"; readonly agent: number; readonly key: string }
  | { readonly does: "pause" | "resume"; readonly link: number }
  | { readonly does: "wait" }

const own = fc.integer({ min: 0, max: AGENTS - 1 })
const KEYS = ["mode", "plan"]
const steps: fc.Arbitrary<ReadonlyArray<Step>> = fc.array(
  fc.oneof(
    {
      weight: 6,
      arbitrary: fc.record({
        does: fc.constantFrom("set" as const, "set" as const, "remove" as const, "count" as const),
        agent: own,
        key: fc.constantFrom(...KEYS)
      })
    },
    {
      weight: 2,
      arbitrary: fc.record({ does: fc.constantFrom("pause" as const, "resume" as const), link: own })
    },
    { weight: 1, arbitrary: fc.constant({ does: "wait" as const }) }
  ),
  { minLength: 4, maxLength: 14 }
)

let made = 0

const change = async (name: string, { does, key }: Extract<Step, { key: string }>, at: number) => {
  const state = log.engine.state(name)
  const { shared, token } = await state.read({ tiers: ["shared"] })
  const { count = 0 } = shared as { count?: number }
  if (does === "count") await state.update({ shared: { count: count + 1 } }, { base: token })
  if (does === "set") await state.update({ shared: { [key]: `${name}-${at}` } })
  if (does === "remove") await state.update({ shared: { [key]: null } })
}

const sharedOf = (names: ReadonlyArray<string>): Promise<ReadonlyArray<JsonObject>> =>
  Promise.all(
    names.map(async (name) => (await log.engine.state(name).read({ tiers: ["shared"] })).shared as JsonObject)
  )

/** The keys that not all have alike. */
const unlike = (shared: ReadonlyArray<JsonObject>): ReadonlyArray<string> =>
  [...KEYS, "count"].filter((key) => new Set(shared.map((one) => JSON.stringify(one[key]))).size > 1)

/** Somebody else, or what has changed since, may have been faster. */
const decide = async ({ id }: InboxEntry, use: "ours" | "theirs"): Promise<void> => {
  try {
    await log.engine.conflicts.resolve(id, { use }, { by: "eve" })
  } catch (failure) {
    if (!(failure instanceof ConflictMoved) && !(failure instanceof ConflictEnded)) throw failure
  }
}

const agreeing = async (
  topology: Topology,
  program: ReadonlyArray<Step>,
  use: "ours" | "theirs"
): Promise<void> => {
  made += 1
  const names = upTo(AGENTS).map((n) => `contrary-${made}-${n}`)
  for (const name of names) await log.engine.state(name).update({ local: { name } })
  const links = await topologies(log.engine)[topology](names)
  const mine = new Set([...names, ...links.map(({ hub }) => hub)])
  const open = async (): Promise<ReadonlyArray<InboxEntry>> =>
    (await log.engine.conflicts.list({ status: "open" })).filter(({ source }) => mine.has(source))
  for (const [at, step] of program.entries()) {
    if ("agent" in step) await change(names[step.agent]!, step, at)
    else if (step.does === "wait") await log.engine.settled()
    else await links[step.link % links.length]![step.does]()
  }
  for (const one of links) await one.resume()

  for (let round = 1; ; round += 1) {
    await linksQuiet(log.engine, PATIENCE_MS)
    const waiting = await open()
    const apart = unlike(await sharedOf(names))
    const told = new Set(waiting.map(({ path }) => path.split("/")[2]))
    for (const key of apart) expect(told).toContain(key)
    if (waiting.length === 0) break
    expect(round).toBeLessThanOrEqual(ROUNDS)
    await decide(waiting[0]!, use)
  }
  const [one, ...others] = await sharedOf(names)
  for (const other of others) expect(other).toEqual(one)
  expect(one!["count"] ?? 0).toBe(program.filter(({ does }) => does === "count").length)
  for (const name of mine) expect(await log.engine.state(name).verify()).toMatchObject({ isSound: true })
  for (const link of links) await link.end()
}

/** Round a ring two have decided to keep what they had, each knowing of what the other had, and not of what he decided. */
const BOTH_KEEP: ReadonlyArray<Step> = [
  { does: "pause", link: 3 },
  { does: "pause", link: 1 },
  { does: "set", agent: 4, key: "mode" },
  { does: "set", agent: 0, key: "mode" },
  { does: "set", agent: 3, key: "mode" },
  { does: "set", agent: 0, key: "mode" }
]

/** What a decision says of itself is where it is in the log, and nothing beyond it. */
const DECIDED_EARLY: ReadonlyArray<Step> = [
  { does: "pause", link: 1 },
  { does: "set", agent: 3, key: "mode" },
  { does: "set", agent: 1, key: "mode" },
  { does: "pause", link: 0 },
  { does: "set", agent: 2, key: "mode" }
]

describe("agents that are linked and contradict each other", () => {
  test.each(TOPOLOGIES)(
    "as a %s have the same, or it is in the inbox; and the same once all of that is decided",
    { timeout: RUNS * PATIENCE_MS },
    async (topology) => {
      await fc.assert(
        fc.asyncProperty(steps, fc.constantFrom("ours" as const, "theirs" as const), (program, use) =>
          agreeing(topology, program, use)
        ),
        {
          numRuns: RUNS,
          endOnFailure: true,
          examples: [
            [BOTH_KEEP, "ours"],
            [DECIDED_EARLY, "ours"]
          ]
        }
      )
    }
  )
})
