import fc from "fast-check"
import { describe, expect, test } from "vitest"
import { eventsOf, testLog, upTo } from "../test-log.ts"

const log = testLog()

const only = async (stream: string) => {
  const events = await eventsOf(log.engine, stream)
  expect(events).toHaveLength(1)
  return events[0]!
}

describe("an event", () => {
  test("comes back as it was emitted, with everything the log adds", async () => {
    const stream = log.stream("agent")
    const meta = {
      actor: "billing-7",
      reason: "asked",
      correlationId: "c",
      causationId: "d",
      note: { deep: [1] }
    }
    const event = {
      type: "Registered",
      data: { name: "Ada" },
      labels: ["run:42", "task:9"],
      schemaVersion: 3
    }
    const appended = await log.engine.emit(stream, event, { meta })
    const found = await only(stream)
    expect(found).toEqual({
      ...event,
      stream,
      meta,
      version: 1,
      id: appended.events[0]!.id,
      position: appended.position,
      recordedAt: expect.any(Date)
    })
  })

  test("without data, labels, meta and schema version has empty ones and version 1", async () => {
    const stream = log.stream()
    await log.engine.emit(stream, { type: "Bare" })
    expect(await only(stream)).toMatchObject({ data: {}, labels: [], meta: {}, schemaVersion: 1 })
  })

  test.each([
    ["null", null],
    ["a string", "text"],
    ["zero", 0],
    ["false", false],
    ["an array", [1, [2]]]
  ])("may have %s for its data", async (_, data) => {
    const stream = log.stream()
    await log.engine.emit(stream, { type: "Bare", data })
    expect((await only(stream)).data).toEqual(data)
  })

  test("gets an id that sorts by time, made by the client", async () => {
    const { events } = await log.engine.emit(
      log.stream(),
      upTo(100).map(() => ({ type: "Made" }))
    )
    const ids = events.map(({ id }) => id)
    expect(ids.every((id) => /^[0-9a-f]{8}-[0-9a-f]{4}-7/.test(id))).toBe(true)
    expect(ids.toSorted()).toEqual(ids)
    expect(new Set(ids).size).toBe(100)
  })

  test("keeps when it happened by the caller's clock in its data, beside when it was recorded", async () => {
    const stream = log.stream()
    const [before] = await log.db.query<{ now: Date }>("select clock_timestamp() as now")
    const occurredAt = new Date("2001-02-03T04:05:06.789Z")
    await log.engine.emit(stream, [
      { type: "Happened", data: { n: 1 }, occurredAt },
      { type: "Happened", occurredAt: "2001-02-03T05:05:06.789+01:00" }
    ])
    const [after] = await log.db.query<{ now: Date }>("select clock_timestamp() as now")
    const events = await eventsOf(log.engine, stream)
    expect(events.map(({ data }) => data)).toEqual([
      { n: 1, occurredAt: occurredAt.toISOString() },
      { occurredAt: occurredAt.toISOString() }
    ])
    for (const { recordedAt } of events) {
      // A11: the database's clock at insert, whatever the caller's says. A Date has no microseconds.
      expect(recordedAt.getTime()).toBeGreaterThanOrEqual(before!.now.getTime())
      expect(recordedAt.getTime()).toBeLessThanOrEqual(after!.now.getTime())
    }
  })

  test.each([
    ["append_events", 'select append_events($1, \'[{"type": "Late"}]\')'],
    ["append_lone", "select append_lone($1, null, gen_random_uuid(), 'Late', '{}', '{}', '{}', 1)"]
  ])(
    "is recorded by %s at the time of its insert, not of the beginning of its transaction",
    async (_, append) => {
      const stream = log.stream()
      const session = await log.session()
      // The short way is for a stream that is there.
      await log.engine.emit(stream, { type: "First" })
      await session.query("begin")
      const [begun] = await session.query<{ now: Date }>("select now() as now, pg_sleep(0.02)")
      await session.query(append, [stream])
      await session.query("commit")
      const [, late] = await eventsOf(log.engine, stream)
      expect(late!.recordedAt.getTime()).toBeGreaterThan(begun!.now.getTime() + 15)
    }
  )

  test("may hold any text that PostgreSQL can hold, in data, labels and meta", async () => {
    const text = fc
      .string({ unit: "grapheme-composite", maxLength: 40 })
      .filter((given) => !given.includes("\0") && given !== "__proto__")
    const label = text.filter((given) => /^[^\s\p{C}](?:[^\p{C}]{0,100}[^\s\p{C}])?$/u.test(given))
    await fc.assert(
      fc.asyncProperty(text, fc.array(label, { maxLength: 5 }), text, async (said, labels, reason) => {
        const stream = log.stream("unicode")
        await log.engine.emit(stream, { type: "Said", data: { [said]: said }, labels }, { meta: { reason } })
        expect(await only(stream)).toMatchObject({ data: { [said]: said }, labels, meta: { reason } })
      }),
      {
        numRuns: 60,
        examples: [["ä☃𝒳👩‍👩‍👧\"'\\%_", ['quo"te', "back\\slash", "{brace},", "NULL"], "\u{10ffff}\ud7ff"]]
      }
    )
  })
})

test("one append may hold more events than a batch, in order and without a hole", async () => {
  const stream = log.stream()
  const count = 2_500
  const appended = await log.engine.emit(
    stream,
    upTo(count).map((n) => ({ type: "Counted", data: { n } }))
  )
  expect(appended.version).toBe(count)
  expect(appended.events.map(({ version }) => version)).toEqual(upTo(count))
  const events = await eventsOf(log.engine, stream)
  expect(events.map(({ data }) => (data as { n: number }).n)).toEqual(upTo(count))
  expect(events.map(({ position }) => position)).toEqual(appended.events.map(({ position }) => position))
})

test("what one engine has been told is appended, another reads at once", async () => {
  const other = await log.open()
  const stream = log.stream()
  for (const n of upTo(10)) {
    await log.engine.emit(stream, { type: "Counted" })
    expect(await eventsOf(other, stream)).toHaveLength(n)
  }
})

test("an append answers with a token of the position of its last event", async () => {
  const one = await log.engine.emit(log.stream(), [{ type: "A" }, { type: "B" }])
  const two = await log.engine.emit(log.stream(), { type: "A" })
  expect(one.token).not.toBe(two.token)
  expect(one.position).toBe(one.events[1]!.position)
})
