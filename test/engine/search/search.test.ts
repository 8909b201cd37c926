import { afterAll, beforeAll, describe, expect, test } from "vitest"
import type { SearchKind } from "../../../src/engine/search/kinds.ts"
import { type Engine, InvalidArgument, open } from "../../../src/index.ts"
import { testDatabase } from "../../support/database.ts"
import { until } from "../../support/eventually.ts"

const database = testDatabase()
let engine: Engine

const HOUR_MS = 3_600_000
const ago = (hours: number): string => new Date(Date.now() - hours * HOUR_MS).toISOString()

const folded = () =>
  until(async () => (await engine.status()).projections.every(({ lag }) => lag.atMost === 0))

beforeAll(async () => {
  engine = await open({ database: database.url, logger: false })
  const { agents, communications, conversations, help, systemEvents, systemState } = engine
  await agents.register({
    agent: "billing-7",
    name: "Invoice writer",
    type: "walrus",
    capabilities: ["walrus-herding"],
    metadata: { team: "walrus" }
  })
  await agents.register({ agent: "planner-1", name: "Schedule planner", config: { secret: "walrus" } })
  await help.ask({ user: "ada", request: "how", content: "How do I feed a walrus in winter?" })
  await help.answer({ request: "how", content: "A walrus eats clams.", agent: "billing-7" })
  await conversations.record({
    conversation: "talk",
    agent: "planner-1",
    prompt: "Describe a walrus",
    response: "It has tusks"
  })
  await systemEvents.log({
    type: "walrus_escaped",
    agent: "billing-7",
    data: { from: "the pool", animal: "walrus" }
  })
  await systemEvents.log({ type: "quiet", occurredAt: ago(48), data: { old: "walrus" } })
  await systemState.set({ key: "mascot", value: { animal: "walrus" } })
  await communications.send({ from: "billing-7", to: "planner-1", content: "walrus" })
  const state = engine.state("planner-1")
  await state.update({
    shared: { "pets/sea": ["walrus"] },
    local: { note: "walrus" },
    persistent: { moon: "waxing" }
  })
  await state.branch("try")
  await state.on("try").update({ shared: { dream: "a walrus on skates" } })
  await folded()
})

afterAll(() => engine.close())

const kinds = async (...given: Parameters<Engine["search"]>) =>
  (await engine.search(...given)).map(({ kind, id }) => `${kind} ${id}`).toSorted()

describe("a search", () => {
  test("finds a word wherever it is, but in what is secret or somebody's own", async () => {
    const events = await engine.systemEvents.list()
    expect(await kinds("WALRUS")).toEqual(
      [
        "agent billing-7",
        "answer how",
        "conversation talk",
        "help how",
        "state planner-1/shared/pets~1sea",
        "state planner-1@try/shared/dream",
        ...events.map(({ id }) => `system_event ${id}`),
        "system_state mascot"
      ].toSorted()
    )
  })

  test("says what it found, by what is better first, with the words marked", async () => {
    const hits = await engine.search("walrus", { kinds: ["agent", "help", "answer"] })
    expect(hits.map(({ rank }) => rank)).toEqual(hits.map(({ rank }) => rank).toSorted((a, b) => b - a))
    expect(hits.find(({ kind }) => kind === "answer")).toMatchObject({
      id: "how",
      agent: "billing-7",
      title: "A walrus eats clams.",
      snippet: "A **walrus** eats clams."
    })
    expect(hits.find(({ kind }) => kind === "agent")).toMatchObject({
      title: "Invoice writer",
      agent: "billing-7"
    })
    const [one] = await engine.search("winter", { marks: ["<b>", "</b>"] })
    expect(one!.snippet).toBe("How do I feed a walrus in <b>winter</b>?")
  })

  test("ranks a word in the title before one in the text", async () => {
    await engine.systemState.set({ key: "otter", value: "swims" })
    await engine.systemState.set({ key: "swims", value: "otter" })
    await folded()
    expect((await engine.search("otter", { kinds: ["system_state"] })).map(({ id }) => id)).toEqual([
      "otter",
      "swims"
    ])
  })

  test.each([
    ["walrus clams", ["answer how"]],
    ['"feed a walrus"', ["help how"]],
    ['"walrus feed"', []],
    ["clams or tusks", ["answer how", "conversation talk"]],
    ["walrus -winter -clams -pool -tusks -old -skates -sea -mascot -herding", []],
    ["invoice", ["agent billing-7"]],
    ["waxing", ["state planner-1/persistent/moon"]]
  ] as ReadonlyArray<readonly [string, ReadonlyArray<string>]>)(
    "%s is taken as on the web",
    async (query, found) => {
      expect(await kinds(query)).toEqual(found)
    }
  )

  test("keeps to kinds, an agent, a time and a limit", async () => {
    expect(await kinds("walrus", { kinds: ["help", "answer"] })).toEqual(["answer how", "help how"])
    expect(await kinds("walrus", { kinds: ["help", "help"] })).toEqual(["help how"])
    expect(await kinds("walrus", { agent: "planner-1" })).toEqual([
      "conversation talk",
      "state planner-1/shared/pets~1sea",
      "state planner-1@try/shared/dream"
    ])
    const late: ReadonlyArray<SearchKind> = ["system_event"]
    expect(await kinds("walrus", { kinds: late, since: ago(24) })).toHaveLength(1)
    expect(await kinds("walrus", { kinds: late, since: new Date(ago(72)) })).toHaveLength(2)
    expect(await engine.search("walrus", { limit: 3 })).toEqual((await engine.search("walrus")).slice(0, 3))
  })

  test("finds what a link shares in its members, and not in between", async () => {
    for (const agent of ["twin-1", "twin-2"]) await engine.state(agent).update({ local: { agent } })
    const link = await engine.link({ group: ["twin-1", "twin-2"], keys: ["/shared/**"] })
    await engine.state("twin-1").update({ shared: { pet: "axolotl" } })
    await until(async () => (await engine.state("twin-2").read()).shared["pet"] === "axolotl")
    await folded()
    expect(await kinds("axolotl")).toEqual(["state twin-1/shared/pet", "state twin-2/shared/pet"])
    expect((await engine.state(link.hub).read()).shared).toEqual({ pet: "axolotl" })
  })

  test("does not find what is not there any more", async () => {
    await engine.systemState.set({ key: "gone", value: "narwhal" })
    await engine.agents.register({ agent: "narwhal-1" })
    await engine.state("planner-1").update({ shared: { fish: "narwhal" } })
    await engine
      .state("planner-1")
      .on("try")
      .update({ shared: { fish: "narwhal too" } })
    await folded()
    expect(await kinds("narwhal")).toHaveLength(4)
    await engine.systemState.remove({ key: "gone" })
    await engine.agents.retire({ agent: "narwhal-1" })
    await engine.state("planner-1").update({ shared: { fish: null } })
    await engine.state("planner-1").deleteBranch("try")
    await folded()
    expect(await kinds("narwhal")).toEqual([])
    expect(await kinds("narwhla-1")).toEqual([])
  })
})

describe("names that are written in another way", () => {
  test.each([
    ["biling-7", "billing-7"],
    ["billling", "billing-7"],
    ["bililng-7", "billing-7"],
    ["invoise writer", "billing-7"],
    ["Invoice writr", "billing-7"],
    ["plannre-1", "planner-1"],
    ["shedule planner", "planner-1"]
  ])("are found by %s", async (query, agent) => {
    const hits = await engine.search(query)
    expect(hits.map(({ kind, id }) => [kind, id])).toEqual([["agent", agent]])
    expect(hits[0]!.rank).toBeGreaterThanOrEqual(0.5)
  })

  test("are looked for only where nothing has the very words, and agents are wanted", async () => {
    expect(await kinds("billing")).toEqual(["agent billing-7"])
    expect(await kinds("biling-7", { kinds: ["help"] })).toEqual([])
    expect(await kinds("xyz")).toEqual([])
    expect(await kinds("zebra crossing")).toEqual([])
  })
})

test.each([
  ["", {}, "no words"],
  ["  \t", {}, "no words"],
  ["a\0", {}, "no words"],
  ["\ud800", {}, "no words"],
  [7, {}, "no words"],
  ["!?", {}, "letters or digits"],
  ["-walrus", {}, "not wanted"],
  ["x".repeat(1_001), {}, "1001 characters"],
  ["x", { kinds: ["cow"] }, '"cow"'],
  ["x", { kinds: [] }, "none"],
  ["x", { kinds: [undefined] }, '"undefined"'],
  ["x", { kinds: [1] }, '"1"'],
  ["x", { since: null }, "since is null"],
  ["x", { since: 5 }, "since is 5"],
  ["x", { since: true }, "since is true"],
  ["x", { since: "-005000-01-01T00:00:00Z" }, "ISO 8601"],
  ["x", { kinds: "agent" }, "no list"],
  ["x", { agent: "" }, "agent"],
  ["x", { since: "yesterday" }, "yesterday"],
  ["x", { limit: 0 }, "limit is 0"],
  ["x", { limit: 101 }, "limit is 101"],
  ["x", { limit: 1.5 }, "limit is 1.5"],
  ["x", { marks: ["<b>"] }, "marks"],
  ["x", { marks: ["<b>", "x".repeat(21)] }, "marks"]
])("%j with %j is refused, and said why", async (query, options, said) => {
  const refused = engine.search(query as string, options as never)
  await expect(refused).rejects.toThrow(InvalidArgument)
  await expect(refused).rejects.toThrow(said)
})

describe("whatever is written", () => {
  const words = (count: number, length: number): string =>
    Array.from({ length: count }, (_, n) => n.toString(36).padStart(length, "語")).join(" ")

  test.each([
    ["of many short words", words(60_000, 4)],
    ["of one long word", "x".repeat(500_000)],
    ["of words of one letter", "a ".repeat(200_000)],
    ["of marks", "<b>\u{E000}'&|!:*()\\ \u{E001}".repeat(1_000)]
  ])("%s stops no read model, and is found by its first words", async (_, text) => {
    await engine.help.ask({ user: "eve", content: `platypus ${text}` })
    await engine.systemEvents.log({ type: "platypus", data: { text } })
    await engine.conversations.record({ prompt: `platypus ${text}`, response: text })
    await engine.systemState.set({ key: "platypus", value: { text } })
    await engine.state("eve").update({ shared: { platypus: text } })
    await folded()
    expect(await engine.search("platypus")).not.toEqual([])
  })
})

test("what is rebuilt is found as before", async () => {
  const before = await engine.search("walrus", { limit: 100 })
  for (const name of ["agents", "help", "conversations", "system_events", "system_state", "states"])
    await engine.rebuild(name)
  expect(await engine.search("walrus", { limit: 100 })).toEqual(before)
})
