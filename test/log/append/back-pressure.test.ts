import { describe, expect, test } from "vitest"
import { MAX_WAITING_EVENTS } from "../../../src/log/queue.ts"
import { until } from "../../support/eventually.ts"
import { eventsOf, testLog, upTo } from "../test-log.ts"

const log = testLog()

const many = (count: number) => upTo(count).map(() => ({ type: "N" }))

test("a full queue makes emit wait, status shows it, and nothing is lost or out of order when there is room again", async () => {
  const [stuck, other] = [log.stream(), log.stream()]
  await log.engine.emit(stuck, { type: "Before" })
  const session = await log.session()
  await session.query("begin")
  await session.query("select from streams where stream = $1 for update", [stuck])
  const waiting = [
    log.engine.emit(stuck, { type: "First" }),
    log.engine.emit(stuck, many(MAX_WAITING_EVENTS))
  ]
  await until(async () => (await log.engine.status()).emit.held.includes(stuck))
  let done = false
  const blocked = log.engine.emit(other, { type: "Blocked" }).then(() => (done = true))
  const { emit } = await log.engine.status()
  expect(emit).toMatchObject({ blocked: 1, waiting: MAX_WAITING_EVENTS })
  expect(done).toBe(false)
  await session.query("commit")
  await Promise.all([...waiting, blocked])
  expect((await log.engine.status()).emit).toMatchObject({ blocked: 0, waiting: 0, held: [] })
  const types = (await eventsOf(log.engine, stuck, { limit: 3 })).map(({ type }) => type)
  expect(types).toEqual(["Before", "First", "N"])
})

describe("an engine that closes", () => {
  test("first sends what was emitted before", async () => {
    const engine = await log.open()
    const streams = upTo(50).map(() => log.stream())
    const emitted = streams.map((stream) => engine.emit(stream, { type: "Last" }))
    await engine.close()
    const settled = await Promise.allSettled(emitted)
    expect(settled.every(({ status }) => status === "fulfilled")).toBe(true)
    for (const stream of streams) expect(await eventsOf(log.engine, stream)).toHaveLength(1)
  })

  test("takes nothing after that, and says that nothing was done", async () => {
    const engine = await log.open()
    await engine.close()
    const stream = log.stream()
    await expect(engine.emit(stream, { type: "Late" })).rejects.toMatchObject({ _tag: "Unavailable" })
    expect(await eventsOf(log.engine, stream)).toEqual([])
    await engine.close()
  })
})
