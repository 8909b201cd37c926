import { setTimeout as pause } from "node:timers/promises"
import { expect, test } from "vitest"
import { deferred, until } from "../support/eventually.ts"
import { consumerLog, isThrough, noting, own } from "./scene.ts"

// What is left behind by an engine that goes on, and has no handler for a subscription any more.

const log = consumerLog()

const membersOf = (name: string) =>
  log.db.query("select engine from tidemark.subscription_members where subscription = $1", [name])

test("what could not be given up at once is given up later, also where its successor is refused meanwhile", async () => {
  const { name, categories } = log.fresh()
  const member = await log.engine.subscribe({ name, categories }, () => undefined)
  await own([member], [1])
  const session = await log.session()
  await session.query("begin")
  await session.query("lock table subscription_members in share mode")
  await member.stop()
  await expect(
    log.engine.subscribe({ name, categories: ["another"] }, () => undefined)
  ).rejects.toMatchObject({
    _tag: "SubscriptionChanged"
  })
  // What is under way comes to nothing: it has to be tried again.
  await log.db.terminate("tidemark")
  expect(await membersOf(name)).toHaveLength(1)
  await session.query("commit")
  await until(async () => (await membersOf(name)).length === 0)
})

test("an engine that waits for its last handler is heard of until that has ended: nobody takes its place before", async () => {
  const { name, categories } = log.fresh()
  const LEASE_MS = 800
  const engine = await log.open({ readModels: "follow", leaseMs: LEASE_MS })
  const entered = deferred<void>()
  const cut: Array<unknown> = []
  const member = await engine.subscribe({ name, categories }, async (_, { signal }) => {
    entered.resolve()
    signal.addEventListener("abort", () => cut.push((signal.reason as { why: string }).why))
    await pause(LEASE_MS * 3)
  })
  const [position] = await log.emit(`${categories[0]}-a`, 1)
  await entered.promise
  const heard = noting()
  const other = await log.engine.subscribe({ name, categories }, heard.handler)
  await member.stop()
  // It was told to hurry, and took its time.
  expect(cut).toEqual(["stop"])
  await isThrough(log.engine, name, position!)
  expect(heard.items).toEqual([])
  await other.stop()
})
