import { describe, expect, test } from "vitest"
import { until } from "../support/eventually.ts"
import { consumerLog, isThrough, noting } from "./scene.ts"

// A position that is drawn and not committed yet is waited for by whoever keeps a place in the log; one that is gone is not.

const log = consumerLog()

const appending = async (stream: string, n: number) => {
  const session = await log.session()
  await session.query("begin")
  await session.query(
    "select append_events($1, jsonb_build_array(jsonb_build_object('type', 'Numbered', 'data', jsonb_build_object('n', $2::integer))))",
    [stream, n]
  )
  return session
}

describe.each([false, true])("a durable subscription (transactional: %s)", (transactional) => {
  test("waits for an append under way, however long it takes, and has its events in their place", async () => {
    const { name, categories } = log.fresh()
    const heard = noting()
    const member = await log.engine.subscribe({ name, categories, transactional }, heard.handler)
    await until(() => member.partitions().length === 1)
    const before = (await member.control.status()).partitions[0]!.position
    const slow = await appending(`${categories[0]}-slow`, 1)
    const [fast] = await log.emit(`${categories[0]}-fast`, 1)
    // Who holds up the log is known, and the cursor stays before it.
    await until(async () => (await log.engine.status()).feed.heldForMs > 500)
    expect(heard.items).toEqual([])
    expect((await member.control.status()).partitions[0]!.position).toBeLessThanOrEqual(before + 1)
    await slow.query("commit")
    expect(await heard.reaches(2)).toEqual(["slow1", "fast1"])
    await isThrough(log.engine, name, fast!)
    await member.stop()
  })

  test("is stopped and started beside an append under way, and misses nothing of it", async () => {
    const { name, categories } = log.fresh()
    const options = { name, categories, transactional }
    const heard = noting()
    const first = await log.engine.subscribe(options, heard.handler)
    const slow = await appending(`${categories[0]}-slow`, 1)
    await log.emit(`${categories[0]}-fast`, 1)
    await first.stop()
    const engine = await log.open()
    const second = await engine.subscribe(options, heard.handler)
    await log.emit(`${categories[0]}-fast`, 2)
    await until(async () => (await engine.status()).feed.heldForMs > 100)
    expect(heard.items).toEqual([])
    await slow.query("commit")
    expect(await heard.reaches(3)).toEqual(["slow1", "fast1", "fast2"])
    await second.stop()
  })

  test("passes over what appends left that were rolled back", async () => {
    const { name, categories } = log.fresh()
    const heard = noting()
    const member = await log.engine.subscribe({ name, categories, transactional }, heard.handler)
    const gone = [await appending(`${categories[0]}-x`, 1), await appending(`${categories[0]}-y`, 1)]
    const [last] = await log.emit(`${categories[0]}-fast`, 1)
    for (const one of gone) await one.query("rollback")
    expect(await heard.reaches(1)).toEqual(["fast1"])
    await isThrough(log.engine, name, last!)
    await member.stop()
  })
})
