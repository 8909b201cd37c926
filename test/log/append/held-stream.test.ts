import { describe, expect, test } from "vitest"
import type { ExpectedVersion } from "../../../src/index.ts"
import { inTime, until } from "../../support/eventually.ts"
import { eventsOf, somebodyWaits, testLog, upTo } from "../test-log.ts"

// Rule A6: a stream that somebody's open transaction holds is waited for apart, in its own order, and nobody else waits.

const log = testLog()

/** Much less than an emit's deadline: others were not held up if they are done by then. */
const soon = { within: 5_000 }

const holding = async (streams: ReadonlyArray<string>) => {
  for (const stream of streams) await log.engine.emit(stream, { type: "Before" })
  const session = await log.session()
  await session.query("begin")
  await session.query("select from streams where stream = any($1) order by stream for update", [streams])
  return { release: () => session.query("commit") }
}

const isHeld = (...streams: ReadonlyArray<string>) =>
  until(async () => {
    const { held } = (await log.engine.status()).emit
    return streams.every((stream) => held.includes(stream))
  }, soon)

describe("a stream that an open transaction holds", () => {
  test("does not hold up the others of its batch, nor those that come later", async () => {
    const stuck = log.stream()
    const { release } = await holding([stuck])
    const existing = log.stream()
    await log.engine.emit(existing, { type: "Before" })
    const late = log.engine.emit(stuck, { type: "Late" })
    await inTime(
      Promise.all(
        [existing, ...upTo(63).map(() => log.stream())].map((one) => log.engine.emit(one, { type: "Fine" }))
      ),
      soon
    )
    await isHeld(stuck)
    await inTime(Promise.all(upTo(10).map(() => log.engine.emit(log.stream(), { type: "Fine" }))), soon)
    await release()
    await expect(late).resolves.toMatchObject({ version: 2 })
    expect((await log.engine.status()).emit.held).toEqual([])
  })

  test("does not hold up new streams of its batch, however many such streams there are", async () => {
    const stuck = upTo(4).map(() => log.stream())
    const { release } = await holding(stuck)
    const late = Promise.all(stuck.map((one) => log.engine.emit(one, { type: "Late" })))
    const fresh = Promise.all(
      upTo(10).map(() => log.engine.emit(log.stream(), { type: "Fine" }, { expected: "none" }))
    )
    await inTime(fresh, { ...soon, what: "new streams beside held ones" })
    await release()
    await expect(late).resolves.toHaveLength(4)
  })

  test("that is in the making does not hold up the others of its batch", async () => {
    const [inTheMaking, ...others] = upTo(5).map(() => log.stream())
    const session = await log.session()
    await session.query("begin")
    await session.query('select append_events($1, \'[{"type": "Made"}]\')', [inTheMaking])
    const late = log.engine.emit(inTheMaking!, { type: "Late" })
    await inTime(Promise.all(others.map((one) => log.engine.emit(one, { type: "Fine" }))), soon)
    await session.query("commit")
    await expect(late).resolves.toMatchObject({ version: 2 })
  })

  test("gets its own events in the order in which they were emitted", async () => {
    const stuck = log.stream()
    const { release } = await holding([stuck])
    const first = upTo(5).map((n) => log.engine.emit(stuck, { type: "Late", data: { n } }))
    await isHeld(stuck)
    const second = upTo(5).map((n) => log.engine.emit(stuck, { type: "Late", data: { n: n + 5 } }))
    await log.engine.emit(log.stream(), { type: "Fine" })
    await release()
    const versions = (await Promise.all([...first, ...second])).map(({ version }) => version)
    expect(versions).toEqual(upTo(10).map((n) => n + 1))
    const said = (await eventsOf(log.engine, stuck, { from: 2 })).map(({ data }) => (data as { n: number }).n)
    expect(said).toEqual(upTo(10))
  })

  test("fails its own emits with Unavailable, which says that nothing was done, when their deadline is over", async () => {
    const hasty = await log.open({ emitDeadlineMs: 600 })
    const stuck = log.stream()
    const { release } = await holding([stuck])
    const late = hasty.emit(stuck, { type: "Late" })
    await expect(late).rejects.toMatchObject({ _tag: "Unavailable" })
    await release()
    expect(await eventsOf(log.engine, stuck)).toHaveLength(1)
    await expect(hasty.emit(stuck, { type: "Next" })).resolves.toMatchObject({ version: 2 })
  })
})

describe("an append in a deadlock with a caller's transaction", () => {
  test.each<readonly [string, "commit" | "rollback", ExpectedVersion, number]>([
    ["that commits, is tried again and comes after it", "commit", "any", 3],
    ["that rolls back, is tried again and is no conflict", "rollback", 1, 2]
  ])("%s", async (_, end, expected, version) => {
    const [a, b] = [log.stream("a"), log.stream("b")]
    for (const one of [a, b]) await log.engine.emit(one, { type: "Before" })
    // The engine looks for a deadlock early and the session late, so that the engine is the victim.
    await log.db.query(`alter database "${log.db.name}" set deadlock_timeout = '20ms'`)
    const victim = await log.open()
    const session = await log.session()
    await session.query("set deadlock_timeout = '10s'")
    await session.query("begin")
    await session.query('select append_events($1, \'[{"type": "Theirs"}]\')', [b])
    const ours = victim.emitAll([
      { stream: a, events: { type: "Ours" }, expected },
      { stream: b, events: { type: "Ours" } }
    ])
    await somebodyWaits(log.db)
    await session.query('select append_events($1, \'[{"type": "Theirs"}]\')', [a])
    await session.query(end)
    await expect(ours).resolves.toMatchObject([
      { stream: a, version },
      { stream: b, version }
    ])
    await log.db.query(`alter database "${log.db.name}" reset deadlock_timeout`)
  })
})
