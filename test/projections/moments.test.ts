import fc from "fast-check"
import { describe, expect, test } from "vitest"
import { occurredAt } from "../../projections/moment.ts"
import { testLog } from "../log/test-log.ts"

// What counts as a time is the same for whoever gives one, for folds in memory and for folds in SQL: else a read model would stop at what was taken.

const log = testLog()

const bySql = async (texts: ReadonlyArray<string>): Promise<ReadonlyArray<number | undefined>> => {
  const rows = await log.db.query(
    "select tidemark.occurred_at(jsonb_build_object('occurredAt', text)) as at from unnest($1::text[]) with ordinality as given (text, nth) order by nth",
    [texts]
  )
  return rows.map(({ at }) => (at as Date | null)?.getTime())
}

const inMemory = (texts: ReadonlyArray<string>): ReadonlyArray<number | undefined> =>
  texts.map((text) => occurredAt({ occurredAt: text })?.getTime())

const two = (min: number, max: number) =>
  fc.integer({ min, max }).map((number) => String(number).padStart(2, "0"))

/** Times, and what only looks like one. */
const text = fc
  .record({
    year: fc.oneof(
      fc.constantFrom("0000", "0001", "1900", "2000", "2024", "2026", "9999"),
      fc.integer({ min: 1000, max: 9999 }).map(String)
    ),
    month: two(0, 13),
    day: fc.oneof(two(28, 32), two(0, 31)),
    hour: two(0, 24),
    minute: two(0, 60),
    second: fc.option(two(0, 60)),
    fraction: fc.option(fc.stringMatching(/^\d{1,3}$/)),
    zone: fc.oneof(
      fc.constant("Z"),
      fc.constant(""),
      fc.tuple(fc.constantFrom("+", "-"), two(0, 16), two(0, 60)).map(([sign, h, m]) => `${sign}${h}:${m}`)
    )
  })
  .map(({ year, month, day, hour, minute, second, fraction, zone }) => {
    const seconds = second === null ? "" : `:${second}${fraction === null ? "" : `.${fraction}`}`
    return `${year}-${month}-${day}T${hour}:${minute}${seconds}${zone}`
  })

test("what is a time, and which, is the same in memory and in SQL, and nothing that looks like one stops either", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(text, { minLength: 200, maxLength: 200 }), async (texts) => {
      const found = inMemory(texts)
      expect(await bySql(texts)).toEqual(found)
      expect(found.filter((at) => at === undefined)).not.toHaveLength(0)
    }),
    { numRuns: 20 }
  )
  const times = [
    "2024-02-29T23:59:59.999Z",
    "0002-01-01T00:00+14:59",
    "9998-12-31T23:59:59-14:59",
    "2026-01-31T12:00+05:30"
  ]
  expect(inMemory(times)).not.toContain(undefined)
  expect(await bySql(times)).toEqual(inMemory(times))
})

describe("a day that its month has not", () => {
  test.each([
    "2026-02-30T00:00:00Z",
    "2025-02-29T00:00:00Z",
    "2026-04-31T12:00:00Z",
    "0001-01-01T00:00:00Z",
    "9999-12-31T23:59:59-14:00"
  ])("is refused where it is given, and is none where it is in the log: %s", async (day) => {
    await expect(log.engine.heartbeats.record({ agent: "a", occurredAt: day })).rejects.toMatchObject({
      _tag: "InvalidInput"
    })
    const before = (await log.engine.heartbeats.recent({ agent: "a" })).length
    const event = { type: "HeartbeatRecorded", data: { occurredAt: day } }
    await log.db.query("select tidemark.append_events('heartbeat-a', $1)", [JSON.stringify([event])])
    await log.engine.heartbeats.record({ agent: "a" })
    const beats = await log.engine.heartbeats.recent({ agent: "a" })
    expect(beats).toHaveLength(before + 2)
    expect(beats[1]).toMatchObject({ occurredAt: null })
  })
})
