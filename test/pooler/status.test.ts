import { expect, test } from "vitest"
import { run } from "../cli/tidemark.ts"
import { isThrough, noting } from "../consumer/scene.ts"
import { named } from "../faults/scene.ts"
import { deferred, until } from "../support/eventually.ts"
import { isDeaf, pooledLog } from "./scene.ts"

const log = pooledLog()

test("behind a pooler names the client that holds the tail, and how far and how long a subscription is behind it", async () => {
  const engine = await log.open()
  const slow = await log.open({ database: named(log.url, "slow-importer") })
  const heard = noting()
  await engine.subscribe({ name: "behind", categories: ["order"] }, heard.handler)
  const { position } = await engine.emit("order-a", { type: "Numbered", data: { n: 1 } })
  await isThrough(engine, "behind", position)
  await isDeaf(engine)
  const goOn = deferred()
  const importing = slow.transaction(async (tx) => {
    tx.emit("import-1", { type: "Imported" })
    await tx.flush()
    await goOn.promise
  })
  await until(async () => (await engine.status()).head > position)
  const behind = await engine.emit("order-b", { type: "Numbered", data: { n: 2 } })
  const status = await until(async () => {
    const found = await engine.status()
    return found.durable[0]!.lagMs > 0 && found.feed.heldBy.length > 0 && found
  })
  expect(status).toMatchObject({
    pooled: true,
    wake: { mode: "polling" },
    feed: { heldBy: [{ application: "slow-importer", state: "idle in transaction" }] },
    durable: [{ name: "behind", state: "running", members: 1, partitions: [{ owner: { pid: process.pid } }] }]
  })
  expect(status.settled).toBeLessThan(behind.position)
  expect(status.unsettledForMs).toBeGreaterThan(0)
  expect(status.durable[0]!.lag.atLeast).toBeGreaterThan(0)
  expect(heard.items).toEqual(["a1"])
  const shown = await run(["status", "-d", log.url])
  expect(shown.stdout).toMatch(/behind a pooler/)
  expect(shown.stdout).toMatch(/wake-ups +polling: /)
  expect(shown.stdout).toMatch(/slow-importer/)
  expect(shown.stdout).toMatch(/behind +running/)
  goOn.resolve()
  await importing
  expect(await heard.reaches(2)).toEqual(["a1", "b2"])
})
