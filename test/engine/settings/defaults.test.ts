import { afterEach, expect, test } from "vitest"
import { type Engine, open, type OpenOptions } from "../../../src/index.ts"
import { testDatabase } from "../../support/database.ts"
import { until } from "../../support/eventually.ts"

const database = testDatabase()
const opened: Array<Engine> = []

const openWith = async (options: OpenOptions): Promise<Engine> => {
  const engine = await open({ database: database.url, logger: false, ...options })
  opened.push(engine)
  return engine
}

afterEach(async () => {
  for (const engine of opened.splice(0)) await engine.close()
})

test("a session lasts as long as the engine has it, unless it is said", async () => {
  const engine = await openWith({ sessionTtlMs: 5_000 })
  const { session } = await engine.sessions.create({ user: "ada" })
  const other = await engine.sessions.create({ user: "ada", ttlMs: 7_000 })
  expect(await engine.sessions.get({ session })).toMatchObject({ ttlMs: 5_000 })
  expect(await engine.sessions.get({ session: other.session })).toMatchObject({ ttlMs: 7_000 })
})

test("an agent promises to beat as often as the engine has it, unless it says", async () => {
  const engine = await openWith({ heartbeatIntervalMs: 30_000 })
  await engine.agents.register({ agent: "a" })
  await engine.agents.register({ agent: "b", heartbeatIntervalMs: 10_000 })
  expect(await engine.agents.get({ agent: "a" })).toMatchObject({ heartbeatIntervalMs: 30_000 })
  expect(await engine.agents.get({ agent: "b" })).toMatchObject({ heartbeatIntervalMs: 10_000 })
  await engine.close()
  const silent = await openWith({})
  await silent.agents.register({ agent: "c" })
  expect(await silent.agents.get({ agent: "c" })).toMatchObject({ heartbeatIntervalMs: null })
})

/** Longer than two looks at the usual pace, in ms. */
const TWO_LOOKS_MS = 2_500

test("agents that are late are looked for as often as the engine has it, or never", async () => {
  const never = await openWith({ healthCheckMs: 0, heartbeatIntervalMs: 100 })
  await never.agents.register({ agent: "quick" })
  const begun = performance.now()
  await until(() => performance.now() - begun > TWO_LOOKS_MS)
  expect((await never.vitals.overview()).unwell).toEqual([])
  await never.close()
  const seldom = await openWith({ healthCheckMs: 3_600_000, heartbeatIntervalMs: 100 })
  const since = performance.now()
  await until(() => performance.now() - since > TWO_LOOKS_MS)
  const said = async () => (await seldom.vitals.overview()).unwell.map(({ agent }) => agent)
  expect(await said()).toEqual([])
  await seldom.close()
  const often = await openWith({ healthCheckMs: 20 })
  await until(async () => (await often.vitals.overview()).unwell.some(({ agent }) => agent === "quick"))
})

test("an event is tried again as often as the engine has it, unless the subscription says", async () => {
  const engine = await openWith({ maxRetries: 1 })
  const tries = { own: 0, asked: 0 }
  const failing = (of: keyof typeof tries) => () => {
    tries[of] += 1
    throw new Error("no")
  }
  const retry = { firstMs: 1 }
  await engine.subscribe({ name: "own", categories: ["tried"], retry }, failing("own"))
  await engine.subscribe(
    { name: "asked", categories: ["tried"], retry: { ...retry, attempts: 3 } },
    failing("asked")
  )
  await engine.emit("tried-1", { type: "Tried" })
  await until(async () => (await engine.subscriptions()).every(({ held }) => held.parked === 1))
  expect(tries).toEqual({ own: 2, asked: 3 })
})
