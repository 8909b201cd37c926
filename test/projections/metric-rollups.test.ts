import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { builtIn } from "../../projections/index.ts"
import { RELATIVE_ERROR, type Summary } from "../../projections/metric-rollups/operations.ts"
import { random, seedFor } from "../support/random.ts"
import { until } from "../support/eventually.ts"
import { scene } from "../projection/scene.ts"

// Rollups against raw rows: what is exact is the same, quantiles are within the error that they state, however events were folded.

const { db, start } = scene()

const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS

const ago = (ms: number): Date => new Date(Date.now() - ms)

const projected = async () => {
  const one = await start()
  const { record } = await one.project(builtIn.metrics)
  const { summary } = await one.project(builtIn.metric_rollups)
  return { one, record, summary }
}

/** What doubles and logarithms are rounded by. */
const ROUNDING = 1e-9

const isWithin = (estimate: number, exact: number): boolean =>
  Math.abs(estimate - exact) <= RELATIVE_ERROR * (1 + ROUNDING) * Math.abs(exact) + Number.MIN_VALUE

type Exact = Omit<Summary, "avg"> & { readonly avg: string }

/** The same summary from raw rows since a time. */
const exactly = (since: Date, bucket?: "minute" | "hour") =>
  db.query<Exact>(
    `select agent_id as agent, metric_name as name, date_trunc($2, timestamp, 'UTC') as bucket, count(*)::float8 as count, avg(value)::text as avg,
       min(value)::float8 as min, max(value)::float8 as max,
       (percentile_disc(0.5) within group (order by value))::float8 as p50,
       (percentile_disc(0.95) within group (order by value))::float8 as p95,
       (percentile_disc(0.99) within group (order by value))::float8 as p99
     from tidemark.performance_metrics where timestamp >= $1 group by 1, 2, 3 order by 1, 2, 3`,
    [since, bucket ?? null]
  )

const QUANTILES = ["p50", "p95", "p99"] as const

const expectLike = (summed: ReadonlyArray<Summary>, exact: ReadonlyArray<Exact>): void => {
  // Quantiles are compared by themselves, and an average to its last digit but one: the server cuts one of raw rows off elsewhere.
  expect(summed).toEqual(
    exact.map(({ avg, ...row }, at) => {
      const { p50, p95, p99 } = summed[at] ?? row
      const found = summed[at]?.avg ?? Number.NaN
      const isSame = Math.abs(found - Number(avg)) <= Number.EPSILON * Math.abs(Number(avg))
      return { ...row, avg: isSame ? found : Number(avg), p50, p95, p99 }
    })
  )
  for (const [at, row] of summed.entries())
    for (const quantile of QUANTILES)
      expect([quantile, row, isWithin(row[quantile], exact[at]![quantile])]).toEqual([quantile, row, true])
}

const measurement = fc.record({
  agent: fc.constantFrom("a", "b"),
  name: fc.constantFrom("cpu", "rss"),
  value: fc.oneof(
    fc.double({ noNaN: true, noDefaultInfinity: true }),
    fc.integer({ min: -3, max: 3 }),
    fc.double({ min: 1, max: 2, noNaN: true })
  ),
  /** How long ago: in few buckets, some of them before the time that is asked for. */
  minutes: fc.constantFrom(1, 2, 3, 70, 71, 130, 175, 186, 1_000)
})

type Measured = typeof measurement extends fc.Arbitrary<infer One> ? One : never

const dated = ({ minutes, ...said }: Measured) => ({ ...said, occurredAt: ago(minutes * MINUTE_MS) })

const HOURS = 3

describe("rollups", () => {
  it("are what raw rows sum up to, wherever batches are cut, and when rebuilt", async () => {
    const { one, record, summary } = await projected()
    const check = async () => {
      const since = ago(HOURS * HOUR_MS)
      expectLike(await one.run(summary({ hours: HOURS })), await exactly(since))
      for (const bucket of ["minute", "hour"] as const)
        expectLike(await one.run(summary({ hours: HOURS, bucket })), await exactly(since, bucket))
    }
    const property = fc.asyncProperty(
      fc.array(fc.array(measurement, { minLength: 1, maxLength: 12 }), { minLength: 1, maxLength: 6 }),
      async (batches) => {
        for (const [first, ...rest] of batches) {
          const { position } = await one.run(record([dated(first!), ...rest.map(dated)]))
          await one.reaches("metric_rollups", position)
          await one.reaches("metrics", position)
        }
        await check()
        const { verified } = await one.rebuild(builtIn.metric_rollups, { verify: true, keep: 0 })
        expect(verified?.tables).toMatchObject([
          { relation: "metric_minutes", different: 0, onlyLive: 0, onlyRebuilt: 0 },
          { relation: "metric_hours", different: 0, onlyLive: 0, onlyRebuilt: 0 }
        ])
        await check()
      }
    )
    await fc.assert(property, { numRuns: 8 })
  })

  it("have a late measurement in its own minute and hour, and one that is ahead, too", async () => {
    const { one, record, summary } = await projected()
    await one.run(record({ agent: "a", name: "m", value: 1 }))
    await one.run(record({ agent: "a", name: "m", value: 2, occurredAt: "2026-01-31T12:59:59.999Z" }))
    await one.run(record({ agent: "a", name: "m", value: 3, occurredAt: "2026-01-31T13:00:00Z" }))
    await one.run(record({ agent: "a", name: "m", value: 4, occurredAt: "0002-01-01T00:00:30Z" }))
    await one.run(record({ agent: "a", name: "m", value: 5, occurredAt: new Date(Date.now() + HOUR_MS) }))
    expect(await one.run(summary())).toMatchObject([{ count: 2, avg: 3, max: 5 }])
    const bucketsOf = (table: string, time: string) =>
      db.query(
        `select to_char(${time} at time zone 'UTC', 'YYYY-MM-DD HH24:MI') as began, max from tidemark.${table}
         where ${time} < '2026-02-01' order by ${time}`
      )
    expect(await bucketsOf("metric_minutes", "minute")).toEqual([
      { began: "0002-01-01 00:00", max: 4 },
      { began: "2026-01-31 12:59", max: 2 },
      { began: "2026-01-31 13:00", max: 3 }
    ])
    expect(await bucketsOf("metric_hours", "hour")).toEqual([
      { began: "0002-01-01 00:00", max: 4 },
      { began: "2026-01-31 12:00", max: 2 },
      { began: "2026-01-31 13:00", max: 3 }
    ])
  })

  it("are read from the beginning of the first minute on", async () => {
    const { one, record, summary } = await projected()
    // The minute that the last hour begins in, whole, and the one before it; a new minute must not begin meanwhile.
    const edge = Math.floor((Date.now() + 2_000) / MINUTE_MS) * MINUTE_MS - HOUR_MS
    await until(async () => Date.now() - HOUR_MS >= edge)
    await one.run(
      record([
        { agent: "a", name: "m", value: 1, occurredAt: new Date(edge) },
        { agent: "a", name: "m", value: 2, occurredAt: new Date(edge - 1) }
      ])
    )
    expect(await one.run(summary({ hours: 1 }))).toMatchObject([{ count: 1, max: 1 }])
    expect(await one.run(summary({ hours: 2, bucket: "minute" }))).toMatchObject([
      { bucket: new Date(edge - MINUTE_MS), count: 1, max: 2 },
      { bucket: new Date(edge), count: 1, max: 1 }
    ])
  })

  it("count once what was measured where the first whole hour begins", async () => {
    const { one, record, summary } = await projected()
    // A new hour must not begin meanwhile.
    const edge = Math.floor((Date.now() + 10_000) / HOUR_MS) * HOUR_MS - HOUR_MS
    await until(async () => Date.now() - HOUR_MS >= edge)
    await one.run(
      record([
        { agent: "a", name: "m", value: 1, occurredAt: new Date(edge - 1) },
        { agent: "a", name: "m", value: 2, occurredAt: new Date(edge) },
        { agent: "a", name: "m", value: 3, occurredAt: new Date(edge + MINUTE_MS - 1) }
      ])
    )
    expect(await one.run(summary({ hours: 2 }))).toMatchObject([{ count: 3, avg: 2, min: 1, max: 3 }])
    expect(await one.run(summary({ hours: 2, bucket: "hour" }))).toMatchObject([
      { bucket: new Date(edge - HOUR_MS), count: 1, max: 1 },
      { bucket: new Date(edge), count: 2, min: 2 }
    ])
  })

  it("are asked for by agent, metric and number, in order", async () => {
    const { one, record, summary } = await projected()
    const of = (agent: string, name: string, hours: number) => ({
      agent,
      name,
      value: hours,
      occurredAt: ago(hours * HOUR_MS)
    })
    await one.run(
      record([of("b", "m", 1), of("a", "n", 1), of("a", "m", 1), of("a", "m", 2), of("a", "m", 30)])
    )
    const asked = async (given: Parameters<typeof summary>[0]) =>
      (await one.run(summary(given))).map(({ agent, name, count }) => `${agent} ${name} ${count}`)
    expect(await asked({})).toEqual(["a m 2", "a n 1", "b m 1"])
    expect(await asked({ agent: "a" })).toEqual(["a m 2", "a n 1"])
    expect(await asked({ name: "m", hours: 48 })).toEqual(["a m 3", "b m 1"])
    expect(await asked({ bucket: "hour" })).toEqual(["a m 1", "a m 1", "a n 1", "b m 1"])
    expect(await asked({ bucket: "hour", limit: 3 })).toEqual(["a m 1", "a m 1", "a n 1"])
    expect(await asked({ agent: "nobody" })).toEqual([])
    expect(await one.run(summary({ name: "n" }))).toEqual([
      { agent: "a", name: "n", bucket: null, count: 1, avg: 1, min: 1, max: 1, p50: 1, p95: 1, p99: 1 }
    ])
  })

  it("have numbers as JavaScript reads them, also those that no double holds, and nothing that is none", async () => {
    const { one, summary } = await projected()
    const said = [
      "1e400",
      "-1e400",
      "1e-400",
      "0.12345678901234567890123",
      "1.7976931348623158e308",
      '"7"',
      "null",
      "[]"
    ]
    const events = said.map((value) => `{"type":"MetricRecorded","data":{"name":"m","value":${value}}}`)
    await db.query("select tidemark.append_events('metric-a', $1)", [`[${events.join(",")}]`])
    const [row] = await db.query<{ last: number }>(
      "select max(position)::float8 as last from tidemark.log_events"
    )
    await one.reaches("metric_rollups", row!.last)
    const expected = [{ count: 3, min: 0, max: Number.MAX_VALUE }]
    expect(await one.run(summary())).toMatchObject(expected)
    await one.rebuild(builtIn.metric_rollups, { verify: true, keep: 0 })
    expect(await one.run(summary())).toMatchObject(expected)
  })

  it("are of streams of metrics only", async () => {
    const { one, summary } = await projected()
    const position = await one.emit("order-a", { type: "MetricRecorded", data: { name: "m", value: 1 } })
    await one.reaches("metric_rollups", position)
    expect(await one.run(summary())).toEqual([])
  })

  it("count what two engines record at once, each measurement once", async () => {
    const engines = [await projected(), await projected()] as const
    const EACH = 40
    const recorded = engines.map(async ({ one, record }) => {
      let last = ""
      for (let nth = 1; nth <= EACH; nth++)
        last = (await one.run(record({ agent: "a", name: "m", value: nth }))).token
      return last
    })
    for (const after of await Promise.all(recorded))
      for (const { one, summary } of engines) await one.run(summary({}, { after }))
    for (const { one, summary } of engines)
      expect(await one.run(summary())).toMatchObject([
        { count: 2 * EACH, avg: (EACH + 1) / 2, min: 1, max: EACH }
      ])
  })
})

const COUNT = 3_000

const seed = seedFor("metric-rollups")

type Draw = (uniform: () => number) => number

/** A number of a normal distribution, by Box and Muller. */
const normal: Draw = (uniform) => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform())

const shapes: ReadonlyArray<readonly [what: string, draw: Draw]> = [
  ["uniform", (uniform) => 100 * uniform()],
  ["normal around zero", normal],
  ["log-normal, as latencies are", (uniform) => Math.exp(2 * normal(uniform))],
  ["of a long tail", (uniform) => (1 - uniform()) ** -1.5],
  ["negative", (uniform) => -Math.exp(normal(uniform))],
  ["few whole numbers", (uniform) => Math.floor(uniform() * 4) - 1],
  ["zero, nearly always", (uniform) => (uniform() < 0.98 ? 0 : uniform())],
  ["all the same", () => 0.1],
  ["of every magnitude", (uniform) => (uniform() - 0.5) * 10 ** (600 * uniform() - 300)]
]

describe("quantiles", () => {
  it.each(shapes)("are within 2 % of the exact ones where values are %s", async (_, draw) => {
    const { one, record, summary } = await projected()
    const { next, between } = random(seed)
    const values = Array.from({ length: COUNT }, () => draw(next))
    const measured = values.map((value) => ({
      agent: "a",
      name: "m",
      value,
      occurredAt: ago(between(1, 100) * MINUTE_MS)
    }))
    const { position } = await one.run(record([measured[0]!, ...measured.slice(1)]))
    await one.reaches("metrics", position)
    expectLike(await one.run(summary({ hours: HOURS })), await exactly(ago(HOURS * HOUR_MS)))
  })
})
