import { expect, test } from "vitest"
import { testLog } from "../log/test-log.ts"
import { random, seedFor } from "../support/random.ts"

const log = testLog()

let made = 0
const fresh = (name: string) => `${name}-${(made += 1)}`

const prompts = (exchanges: ReadonlyArray<{ readonly prompt: string }>) =>
  exchanges.map(({ prompt }) => prompt)

test("a conversation is kept in order, with all that was said of each exchange", async () => {
  const { conversations } = log.engine
  const agent = fresh("agent")
  const { conversation, position } = await conversations.record({
    agent,
    prompt: "one",
    response: "yes",
    model: "small-1",
    provider: "home",
    promptTokens: 7,
    responseTokens: 5,
    cost: "0.100",
    durationMs: 12,
    metadata: { temperature: 0.5 },
    occurredAt: "2026-01-31T12:00:00Z"
  })
  expect(conversation).toMatch(/^[0-9a-f-]{36}$/)
  await conversations.record({ conversation, prompt: "two" })
  // By the clock of who reports it, it was before the first: the order is that of the stream.
  await conversations.record({ conversation, prompt: "three", tokens: 9, occurredAt: "2025-01-01T00:00:00Z" })
  const all = await conversations.get({ conversation })
  expect(prompts(all)).toEqual(["one", "two", "three"])
  expect(all[0]).toMatchObject({
    id: position,
    agent,
    response: "yes",
    model: "small-1",
    provider: "home",
    promptTokens: 7,
    responseTokens: 5,
    tokens: 12,
    cost: "0.1",
    durationMs: 12,
    metadata: { temperature: 0.5 },
    timestamp: new Date("2026-01-31T12:00:00Z")
  })
  expect(all[1]).toMatchObject({
    agent: null,
    response: null,
    model: null,
    tokens: null,
    cost: null,
    metadata: null
  })
  expect(prompts(await conversations.get({ conversation, limit: 1, after: all[0]!.id }))).toEqual(["two"])
  expect(await conversations.get({ conversation: fresh("nothing") })).toEqual([])
})

test("exchanges are listed by agent, conversation, model and time, page by page, also where times are alike", async () => {
  const { conversations } = log.engine
  const [agent, model, conversation] = [fresh("agent"), fresh("model"), fresh("chat")]
  const at = (hour: number) => new Date(Date.UTC(2026, 0, 31, hour))
  const hours = [10, 12, 12, 12, 11]
  for (const [nth, hour] of hours.entries())
    await conversations.record({
      agent,
      prompt: String(nth),
      occurredAt: at(hour),
      ...(nth % 2 === 0 ? { model } : { conversation })
    })
  const listed = async (given: Parameters<typeof conversations.list>[0]) =>
    prompts(await conversations.list(given))
  expect(await listed({ agent })).toEqual(["3", "2", "1", "4", "0"])
  expect(await listed({ model })).toEqual(["2", "4", "0"])
  expect(await listed({ conversation })).toEqual(["3", "1"])
  expect(await listed({ agent, since: at(11), until: at(12) })).toEqual(["4"])
  expect(await listed({ agent, since: "2026-01-31T13:00:00+01:00" })).toEqual(["3", "2", "1"])
  const paged: Array<string> = []
  let before: number | undefined
  for (;;) {
    const page = await conversations.list({ agent, limit: 2, ...(before === undefined ? {} : { before }) })
    if (page.length === 0) break
    paged.push(...prompts(page))
    before = page.at(-1)!.id
  }
  expect(paged).toEqual(["3", "2", "1", "4", "0"])
})

test.each([
  ["0.1", "0.1"],
  ["000.10", "0.1"],
  [0.1, "0.1"],
  [0, "0"],
  [1e-7, "0.0000001"],
  [2.5e-9, "0.0000000025"],
  [123456789.25, "123456789.25"],
  ["999999999999.999999999999999999", "999999999999.999999999999999999"]
])("a cost given as %j is %s", async (cost, decimal) => {
  const { conversations } = log.engine
  const { conversation } = await conversations.record({ prompt: "?", cost })
  expect(await conversations.get({ conversation })).toMatchObject([{ cost: decimal }])
})

/** Costs of ten decimals as whole numbers, which add up exactly. */
const UNIT = 10n ** 10n

test("totals are the exact sums of what was recorded, by agent, model and day, however batches are cut, and rebuilt", async () => {
  const { between, chance, oneOf } = random(seedFor("conversations"))
  const { conversations } = log.engine
  // Of a year that no other test writes into.
  const days = ["1999-12-30", "1999-12-31", "2000-01-01"]
  const agents = [fresh("agent"), fresh("agent")]
  const models = [fresh("model"), fresh("model"), fresh("model")]
  interface Said {
    readonly agent: string
    readonly model: string
    readonly day: string
    readonly tokens: number
    readonly cost: bigint
  }
  const said: Array<Said> = []
  const STEPS = 150
  for (let step = 0; step < STEPS; step++) {
    const one = {
      agent: oneOf(agents),
      model: oneOf(models),
      day: oneOf(days),
      tokens: between(0, 2_147_483_647),
      cost: BigInt(between(0, 2_000_000_000))
    }
    said.push(one)
    const { agent, model, day, tokens } = one
    // The last moment of a day in UTC is of the next one elsewhere.
    const occurredAt = oneOf([`${day}T00:00:00Z`, `${day}T23:59:59.999Z`])
    const cost = `0.${String(one.cost).padStart(10, "0")}`
    const recording = conversations.record({
      agent,
      model,
      prompt: "?",
      tokens,
      cost,
      durationMs: 3,
      occurredAt
    })
    if (chance(0.5)) await recording
    if (chance(0.2)) await conversations.totals({ by: "day" })
    await recording
  }
  const decimal = (cost: bigint): string =>
    `${cost / UNIT}.${String(cost % UNIT).padStart(10, "0")}`.replace(/\.?0+$/, "")
  const wanted = (by: "agent" | "model" | "day", since = days[0]!, until = days[2]!) => {
    const within = said.filter(({ day }) => day >= since && day <= until)
    return [...new Set(within.map((one) => one[by]))].toSorted().map((of) => {
      const ones = within.filter((one) => one[by] === of)
      return {
        of,
        exchanges: ones.length,
        tokens: ones.reduce((sum, { tokens }) => sum + tokens, 0),
        cost: decimal(ones.reduce((sum, { cost }) => sum + cost, 0n)),
        durationMs: 3 * ones.length
      }
    })
  }
  const ours = new Set([...agents, ...models, ...days])
  const totals = async (given: Parameters<typeof conversations.totals>[0]) =>
    (await conversations.totals(given)).filter(({ of }) => of !== null && ours.has(of))
  const check = async () => {
    for (const by of ["agent", "model", "day"] as const) {
      expect(await totals({ by })).toMatchObject(wanted(by))
      const bounds = { since: days[1]!, until: days[2]! }
      expect(await totals({ by, ...bounds })).toMatchObject(wanted(by, bounds.since, bounds.until))
      expect(await totals({ by, until: days[0]! })).toMatchObject(wanted(by, days[0], days[0]))
      expect(await totals({ by, since: days[1]!, until: days[0]! })).toEqual([])
    }
  }
  await check()
  const { verified } = await log.engine.rebuild("conversations", { verify: true })
  expect(
    verified?.tables.map(({ different, onlyLive, onlyRebuilt }) => [different, onlyLive, onlyRebuilt])
  ).toEqual([
    [0, 0, 0],
    [0, 0, 0]
  ])
  await check()
})

test("tokens of prompt and response add up beyond what either may be", async () => {
  const { conversations } = log.engine
  const most = 2_147_483_647
  const { conversation } = await conversations.record({
    prompt: "?",
    promptTokens: most,
    responseTokens: most
  })
  expect(await conversations.get({ conversation })).toMatchObject([{ tokens: 2 * most }])
})

test("what an exchange does not say is summed up under nobody, and counts as nothing", async () => {
  const { conversations } = log.engine
  const nobody = async () =>
    (await conversations.totals({ by: "agent", since: "1990-05-05", until: "1990-05-05" })).map(
      ({ of, exchanges, tokens, cost, durationMs }) => ({ of, exchanges, tokens, cost, durationMs })
    )
  expect(await nobody()).toEqual([])
  await conversations.record({ prompt: "?", occurredAt: "1990-05-05T12:00:00Z" })
  await conversations.record({ prompt: "?", cost: 0.5, occurredAt: "1990-05-05T12:00:00Z" })
  expect(await nobody()).toEqual([{ of: null, exchanges: 2, tokens: 0, cost: "0.5", durationMs: 0 }])
})
