import { Effect } from "effect"
import fc from "fast-check"
import { describe, expect, it, test } from "vitest"
import { builtIn } from "../../projections/index.ts"
import { type HourlySum, MetricsRolledUp } from "../../projections/metric-rollups/events.ts"
import { statement } from "../../src/postgres/sql-file.ts"
import { rollUp } from "../../src/engine/retention/rollup.ts"
import { EventLog } from "../../src/log/event-log.ts"
import { retirementStream, TelemetryRetired } from "../../src/log/retired.ts"
import { Postgres } from "../../src/postgres/postgres.ts"
import { type Process, scene } from "../projection/scene.ts"

// Read models of telemetry that is over: whatever went, and in whichever order, they are what a rebuild from what is left comes to.

const { db, start } = scene()

const WIDTH = 10_000_000

const MODELS = ["heartbeats", "metrics", "metric_rollups", "system_events"] as const
const CATEGORIES = ["heartbeat", "metric", "system_log"] as const

const projected = async () => {
  const one = await start()
  const { record: beat } = await one.project(builtIn.heartbeats)
  const { record: measure } = await one.project(builtIn.metrics)
  await one.project(builtIn.metric_rollups)
  const { log } = await one.project(builtIn.system_events)
  return { one, beat, measure, log }
}

/** Positions of all that was appended last. */
const head = async (): Promise<number> => {
  const [row] = await db.query<{ last: string }>("select max(position) as last from tidemark.log_events")
  return Number(row!.last ?? 0)
}

const folded = async (one: Process): Promise<void> => {
  const position = await head()
  for (const name of MODELS) await one.reaches(name, position)
}

const retire = (one: Process, category: string, upTo: number): Promise<number> =>
  one.emit(
    retirementStream(category),
    TelemetryRetired.make({ upTo, recordedBefore: "2026-01-01T00:00:00Z", keptDays: 30 })
  )

/** As anybody may who has SQL: nobody checks it. */
const byHand = (stream: string, type: string, data: unknown): Promise<unknown> =>
  db.query("select tidemark.append_events($1, $2)", [stream, JSON.stringify([{ type, data }])])

const rolledUp = (one: Process, part: number): Promise<number> =>
  one.run(
    Effect.gen(function* () {
      return yield* rollUp(yield* Postgres, yield* EventLog, part, (part + 1) * WIDTH - 1)
    })
  )

const step = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({ kind: fc.constant("tell" as const), times: fc.integer({ min: 1, max: 4 }) })
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("leap" as const) }) },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant("retire" as const),
      category: fc.constantFrom(...CATEGORIES),
      percent: fc.integer({ min: 10, max: 110 })
    })
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("roll up" as const) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("drop" as const) }) }
)
type Step = typeof step extends fc.Arbitrary<infer One> ? One : never

describe("telemetry that is over", () => {
  it("is in no read model, wherever batches are cut, and when they are rebuilt from what is left", async () => {
    const { one, beat, measure, log } = await projected()
    let part = 0
    let dropped = -1
    let measured = 0
    /** The rollups have come past all parts but the one that is being written. */
    const beyond = async () => {
      await one.run(measure({ agent: "a", name: "cpu", value: 1 }))
      measured += 1
      await folded(one)
    }
    const steps: Record<Step["kind"], (given: Step) => Promise<unknown>> = {
      tell: async (given) => {
        for (let n = 0; given.kind === "tell" && n < given.times; n++) {
          await one.run(beat({ agent: "a", state: `at ${n}` }))
          await one.run(
            measure([
              { agent: "a", name: "cpu", value: n - 1.5 },
              { agent: "b", name: "cpu", value: n }
            ])
          )
          measured += 2
          await one.run(log({ type: "Looked", severity: n % 2 === 0 ? "INFO" : "ERROR" }))
        }
      },
      leap: async () => {
        part += 1
        await db.query("select setval('tidemark.log_position', $1)", [part * WIDTH + 5])
      },
      retire: async (given) => {
        if (given.kind === "retire")
          await retire(one, given.category, Math.floor(((await head()) * given.percent) / 100))
      },
      "roll up": async () => {
        if (part === 0) return
        await beyond()
        await rolledUp(one, part - 1)
      },
      drop: async () => {
        if (part === dropped + 1) return
        await beyond()
        dropped += 1
        await rolledUp(one, dropped)
        for (const category of CATEGORIES) await retire(one, category, (dropped + 1) * WIDTH - 1)
        await folded(one)
        await db.query(`drop table if exists tidemark.telemetry_${dropped}`)
      }
    }
    const property = fc.asyncProperty(fc.array(step, { minLength: 4, maxLength: 14 }), async (program) => {
      for (const given of program) await steps[given.kind](given)
      await folded(one)
      for (const name of MODELS) {
        const { verified } = await one.rebuild(builtIn[name], { verify: true, keep: 0 })
        for (const table of verified!.tables)
          expect([name, table]).toMatchObject([name, { different: 0, onlyLive: 0, onlyRebuilt: 0 }])
      }
      const [sums] = await db.query(
        "select coalesce(sum(count), 0)::integer as count from tidemark.metric_hours"
      )
      expect(sums).toEqual({ count: measured })
    })
    const whole: ReadonlyArray<Step> = [
      { kind: "tell", times: 3 },
      { kind: "leap" },
      { kind: "roll up" },
      { kind: "tell", times: 2 },
      { kind: "retire", category: "heartbeat", percent: 100 },
      { kind: "retire", category: "metric", percent: 100 },
      { kind: "retire", category: "system_log", percent: 100 },
      { kind: "tell", times: 1 }
    ]
    await fc.assert(property, {
      examples: [[[...whole]]],
      numRuns: Number(process.env["RETIREMENT_RUNS"] ?? 8)
    })
  })
})

test("an event of retirement speaks of nothing that comes after it, and nonsense says nothing", async () => {
  const { one, beat } = await projected()
  const stream = retirementStream("heartbeat")
  const rows = async (position: number) => {
    await one.reaches("heartbeats", position)
    return (await db.query<{ id: string }>("select id from tidemark.agent_heartbeats order by id")).map(
      ({ id }) => Number(id)
    )
  }
  const first = (await one.run(beat({ agent: "a" }))).position
  for (const upTo of ["5", null, 1.5, -3, {}, 1e300]) {
    await byHand(stream, "TelemetryRetired", { upTo })
  }
  const second = (await one.run(beat({ agent: "a" }))).position
  expect(await rows(second)).toEqual([first, second])
  const said = await retire(one, "heartbeat", Number.MAX_SAFE_INTEGER)
  const third = (await one.run(beat({ agent: "a" }))).position
  expect(third).toBeGreaterThan(said)
  expect(await rows(third)).toEqual([third])
  const { verified } = await one.rebuild(builtIn.heartbeats, { verify: true })
  expect(verified!.tables).toMatchObject([{ different: 0, onlyLive: 0, onlyRebuilt: 0 }])
})

test("sums that nobody can have summed up are none, and stop nothing", async () => {
  const { one, measure } = await projected()
  await one.run(measure({ agent: "a", name: "cpu", value: 1 }))
  await db.query("select setval('tidemark.log_position', $1)", [WIDTH + 5])
  const good = {
    agent: "z",
    name: "cpu",
    hour: "2026-01-01T10:00:00Z",
    count: 2,
    sum: "3.5",
    min: 1,
    max: 2.5,
    bins: [20_001, 20_024],
    counts: [1, 1]
  }
  const odd = [
    { ...good, hour: "now" },
    { ...good, hour: "2026-02-31T10:00:00Z" },
    { ...good, count: "2" },
    { ...good, count: 0 },
    { ...good, sum: "NaN" },
    { ...good, sum: "1e5" },
    { ...good, sum: "9".repeat(3_000) },
    { ...good, min: 9 },
    { ...good, max: "x" },
    { ...good, bins: [1] },
    { ...good, bins: [1, 1e30] },
    { ...good, bins: ["x", "y"] },
    { ...good, counts: [true, false] },
    { ...good, bins: [{}, {}] },
    { ...good, bins: [[1], [2]] },
    { ...good, bins: 5, counts: 3 },
    { ...good, bins: "x", counts: "y" },
    { ...good, counts: [1, -1] },
    { ...good, agent: null },
    5,
    "x",
    null
  ]
  for (const [at, hours] of [odd, odd[0], "x", null, {}].entries())
    await byHand(`metric_rollup-${at === 0 ? "0" : "x"}`, "MetricsRolledUp", { hours })
  await byHand("metric_rollup-99999999999", "MetricsRolledUp", { hours: [good] })
  // Of a part that is not over.
  await byHand("metric_rollup-1", "MetricsRolledUp", { hours: [good] })
  await byHand("metric_rollup-0", "MetricsRolledUp", {
    hours: [good, { ...good, count: 7 }, { ...good, name: "rss" }]
  })
  await folded(one)
  expect(
    await db.query("select agent_id, metric_name, part, count from tidemark.metric_hours order by 1, 2")
  ).toEqual([
    { agent_id: "a", metric_name: "cpu", part: 0, count: "1" },
    { agent_id: "z", metric_name: "cpu", part: 0, count: "7" },
    { agent_id: "z", metric_name: "rss", part: 0, count: "2" }
  ])
  const { verified } = await one.rebuild(builtIn.metric_rollups, { verify: true })
  for (const table of verified!.tables)
    expect(table).toMatchObject({ different: 0, onlyLive: 0, onlyRebuilt: 0 })
})

test("sums of a part are told in events of a bearable size, and gone on from where telling them was cut off", async () => {
  const { one, measure } = await projected()
  const hours = 1_100
  await one.run(
    measure(
      Array.from({ length: hours }, (_, nth) => ({
        agent: `a${nth % 7}`,
        name: "cpu",
        value: nth,
        occurredAt: new Date(Date.UTC(2026, 0, 1, nth))
      })) as unknown as Parameters<typeof measure>[0]
    )
  )
  await db.query("select setval('tidemark.log_position', $1)", [WIDTH + 5])
  await one.run(measure({ agent: "a", name: "cpu", value: 1 }))
  await folded(one)
  const { text } = statement("hourly_sums", "tidemark")
  const first = await db.query<HourlySum>(text, [0, "", "-infinity", "", 100])
  await one.emit("metric_rollup-0", MetricsRolledUp.make({ hours: first, isLast: false }))
  expect(await rolledUp(one, 0)).toBe(hours - first.length)
  expect(await rolledUp(one, 0)).toBe(0)
  const told = await db.query<{ hours: number; last: boolean }>(
    `select jsonb_array_length(data -> 'hours') as hours, (data ->> 'isLast')::boolean as last
     from tidemark.events where stream = 'metric_rollup-0' order by version`
  )
  expect(told).toEqual([
    { hours: 100, last: false },
    { hours: 500, last: false },
    { hours: 500, last: false },
    { hours: 0, last: true }
  ])
  await folded(one)
  await db.query("drop table tidemark.telemetry_0")
  await retire(one, "metric", WIDTH - 1)
  await folded(one)
  const { verified } = await one.rebuild(builtIn.metric_rollups, { verify: true })
  for (const table of verified!.tables)
    expect(table).toMatchObject({ different: 0, onlyLive: 0, onlyRebuilt: 0 })
  expect(
    await db.query("select count(*)::integer as hours from tidemark.metric_hours where part = 0")
  ).toEqual([{ hours }])
})
