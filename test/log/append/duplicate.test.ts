import { randomUUID } from "node:crypto"
import { describe, expect, test } from "vitest"
import { DuplicateEvent } from "../../../src/index.ts"
import { eventsOf, somebodyWaits, testLog, traceOf, upTo } from "../test-log.ts"

const log = testLog()

const event = (id = randomUUID()) => ({ id, type: "Paid", data: { sum: 1 } })

describe("the same append, sent several times at once,", () => {
  test.each([
    ["by one engine", false],
    ["by two engines", true]
  ])("is made once, and every sender hears the same positions, %s", async (_, apart) => {
    const stream = log.stream()
    const other = apart ? await log.open() : log.engine
    const paid = event()
    const all = await Promise.all(
      upTo(12).map((n) => (n % 2 === 0 ? log.engine : other).emit(stream, paid, { expected: "none" }))
    )
    expect(new Set(all.map((one) => JSON.stringify(one))).size).toBe(1)
    expect(await eventsOf(log.engine, stream)).toHaveLength(1)
  })

  test("does not hold up or fail the neighbours of its batch", async () => {
    const stream = log.stream()
    const others = upTo(5).map(() => log.stream())
    const paid = event()
    const all = await Promise.allSettled([
      log.engine.emit(stream, paid),
      ...others.map((one) => log.engine.emit(one, { type: "Fine" })),
      log.engine.emit(stream, paid),
      log.engine.emit(stream, { ...paid, type: "Other" })
    ])
    expect(all.map(({ status }) => status)).toEqual([...upTo(7).map(() => "fulfilled"), "rejected"])
    expect(await eventsOf(log.engine, stream)).toHaveLength(1)
  })
})

describe("one id, sent to two streams at once,", () => {
  test.each([
    ["by one engine", false],
    ["by two engines", true]
  ])("is appended to one of them, and is a duplicate to the other, %s", async (_, apart) => {
    const other = apart ? await log.open() : log.engine
    for (const _round of upTo(10)) {
      const [a, b, neighbour] = [log.stream(), log.stream(), log.stream()]
      const paid = event()
      const results = await Promise.allSettled([
        log.engine.emit(a, paid),
        other.emit(b, paid),
        other.emit(neighbour, { type: "Fine" })
      ])
      const lost = results.flatMap((one) => (one.status === "rejected" ? [one.reason as unknown] : []))
      expect(lost).toHaveLength(1)
      expect(lost[0]).toBeInstanceOf(DuplicateEvent)
      expect(results[2]!.status).toBe("fulfilled")
      const traces = [await traceOf(log.db, a), await traceOf(log.db, b)]
      expect(traces.toSorted((x, y) => x.events - y.events)).toEqual([
        { events: 0, heads: 0 },
        { events: 1, heads: 1 }
      ])
    }
  })

  test("fails only its own caller where the first is committed while the batch of the second waits for it", async () => {
    const [a, b] = [log.stream(), log.stream()]
    const neighbours = upTo(4).map(() => log.stream())
    const paid = event()
    const session = await log.session()
    await session.query("begin")
    await session.query("select append_events($1, jsonb_build_array($2::jsonb))", [a, JSON.stringify(paid)])
    // The look-up of ids cannot see the open transaction: the unique index is what the batch then waits at.
    const results = Promise.allSettled([
      log.engine.emit(neighbours[0]!, { type: "Fine" }),
      log.engine.emit(b, paid),
      ...neighbours.slice(1).map((one) => log.engine.emit(one, { type: "Fine" }, { expected: "none" }))
    ])
    await somebodyWaits(log.db)
    await session.query("commit")
    const [first, second, ...rest] = await results
    expect(second).toMatchObject({
      status: "rejected",
      reason: { _tag: "DuplicateEvent", stream: b, ids: [paid.id] }
    })
    expect([first, ...rest].every((one) => one!.status === "fulfilled")).toBe(true)
    expect(await traceOf(log.db, b)).toEqual({ events: 0, heads: 0 })
  })

  test("is appended to the second where the first is rolled back", async () => {
    const [a, b] = [log.stream(), log.stream()]
    const paid = event()
    const session = await log.session()
    await session.query("begin")
    await session.query("select append_events($1, jsonb_build_array($2::jsonb))", [a, JSON.stringify(paid)])
    const second = log.engine.emit(b, paid)
    await somebodyWaits(log.db)
    await session.query("rollback")
    await expect(second).resolves.toMatchObject({ stream: b, version: 1 })
  })
})

test("two transactions that send two ids in opposite orders come through: one deadlock, no conflict", async () => {
  const [a, b] = [log.stream(), log.stream()]
  const [x, y] = [event(), event()]
  const session = await log.session()
  await session.query("begin")
  await session.query("select append_events($1, jsonb_build_array($2::jsonb))", [a, JSON.stringify(x)])
  // The batch holds y and waits for x; then the session wants y.
  const batch = log.engine.emit(b, [y, x])
  await somebodyWaits(log.db)
  const late = session.query("select append_events($1, jsonb_build_array($2::jsonb))", [
    log.stream(),
    JSON.stringify(y)
  ])
  const [ours, theirs] = await Promise.allSettled([batch, late.then(() => session.query("commit"))])
  // Whichever the server picks as its victim: the engine tries again, the plain session is told 40P01.
  if (theirs!.status === "fulfilled") expect(ours).toMatchObject({ reason: { _tag: "DuplicateEvent" } })
  else {
    expect(theirs).toMatchObject({ reason: { code: "40P01" } })
    await session.query("rollback")
    expect(ours).toMatchObject({ status: "fulfilled" })
  }
})
