import { beforeEach, describe, expect, test } from "vitest"
import { counters, scene, stops } from "../projection/scene.ts"
import { type Judged, judged, typesOf } from "./alerts-scene.ts"

// Rules of each kind raise and clear alerts by what read models say. Nobody looks here but when he is told to.

const { db, start } = scene()

const MINUTE_MS = 60_000

/** The minute in which the test began. */
let minute = 0
beforeEach(() => {
  minute = Math.floor(Date.now() / MINUTE_MS)
})

/** In the middle of a minute, so many minutes before that; in that one, at its beginning. */
const ago = (minutes: number): Date => {
  const began = minute - minutes
  return new Date((began + (minutes > 0 ? 0.5 : 0)) * MINUTE_MS)
}

const measure = (
  { one, metrics }: Judged,
  agent: string,
  ...values: ReadonlyArray<readonly [minutesAgo: number, value: number]>
) => {
  const [first, ...others] = values.map(([minutes, value]) => ({
    agent,
    name: "latency",
    value,
    occurredAt: ago(minutes)
  }))
  return one.run(metrics.record([first!, ...others]))
}

const slow = (when: object) => ({
  rule: "slow",
  when: { kind: "metric" as const, metric: "latency", threshold: 500, ...when }
})

describe("a rule of a metric", () => {
  test("raises an alert of each agent that is beyond the threshold, and clears it when it is not any more", async () => {
    const all = await judged(start)
    await all.set({ ...slow({}), severity: "ERROR" })
    await measure(all, "a", [0, 400], [0, 700])
    await measure(all, "b", [0, 500])
    const said = await all.look()
    expect(said).toMatchObject([
      {
        stream: "alert-slow",
        type: "AlertRaised",
        labels: ["rule:slow", "severity:ERROR"],
        data: {
          subject: "a",
          severity: "ERROR",
          kind: "metric",
          value: 550,
          threshold: 500,
          since: ago(0).toISOString(),
          summary: "avg of latency is 550, above 500, of a",
          ruleVersion: 1
        }
      }
    ])
    expect(await all.look()).toHaveLength(1)
    expect(await all.one.run(all.alerts.list())).toMatchObject([
      { alert: said[0]!.id, id: said[0]!.position, status: "open", subject: "a", value: 550, clearedAt: null }
    ])
    await measure(all, "a", [0, 0])
    const both = await all.look()
    expect(both[1]).toMatchObject({
      type: "AlertCleared",
      labels: ["rule:slow", "severity:ERROR"],
      data: { alert: said[0]!.id, subject: "a", why: "over" }
    })
    expect(await all.one.run(all.alerts.list({ status: "open" }))).toEqual([])
    expect(typesOf(await all.look())).toEqual(["AlertRaised", "AlertCleared"])
  })

  test.each<[string, object, ReadonlyArray<readonly [number, number]>, number | undefined]>([
    [
      "for as long as it asks",
      { forMinutes: 3 },
      [
        [4, 501],
        [3, 900],
        [1, 900]
      ],
      900
    ],
    [
      "not for as long as it asks",
      { forMinutes: 3 },
      [
        [3, 900],
        [2, 900],
        [1, 900]
      ],
      undefined
    ],
    [
      "but for a minute in between",
      { forMinutes: 3 },
      [
        [4, 900],
        [3, 900],
        [2, 500],
        [1, 900]
      ],
      undefined
    ],
    [
      "but not now",
      { forMinutes: 3 },
      [
        [5, 900],
        [4, 900],
        [2, 900],
        [1, 1]
      ],
      undefined
    ],
    ["once, long ago", {}, [[8, 900]], undefined],
    [
      "long ago, for a time of which that is a part",
      { forMinutes: 20 },
      [
        [29, 900],
        [8, 900]
      ],
      900
    ],
    ["below", { is: "below", threshold: 5 }, [[1, 4.5]], 4.5],
    ["at the threshold", { is: "below", threshold: 5 }, [[1, 5]], undefined],
    [
      "by the least of a minute",
      { of: "min" },
      [
        [1, 700],
        [1, 501]
      ],
      501
    ],
    [
      "by the greatest of a minute",
      { of: "max" },
      [
        [1, 1],
        [1, 501]
      ],
      501
    ],
    [
      "by the median of a minute",
      { of: "p50" },
      [
        [1, 1],
        [1, 1],
        [1, 9000]
      ],
      undefined
    ],
    ["by another agent", { agent: "b" }, [[1, 900]], undefined]
  ])("finds a metric that was beyond it %s", async (_, when, values, found) => {
    const all = await judged(start)
    await all.set(slow(when))
    await measure(all, "a", ...values)
    const said = await all.look()
    expect(said.map(({ data }) => (data as { value: number }).value)).toEqual(
      found === undefined ? [] : [found]
    )
  })

  test("knows quantiles within 2 %", async () => {
    const all = await judged(start)
    await all.set(slow({ of: "p95", threshold: 900 }))
    await measure(all, "a", ...Array.from({ length: 100 }, (__, nth) => [1, (nth + 1) * 10] as const))
    const [{ data }] = (await all.look()) as unknown as [{ data: { value: number } }]
    expect(Math.abs(data.value - 950) / 950).toBeLessThanOrEqual(0.02)
    const [summary] = await all.one.run(all.summary({ agent: "a", name: "latency", bucket: "minute" }))
    expect(data.value).toBe(summary!.p95)
  })

  test("is over where nothing is measured any more", async () => {
    const all = await judged(start)
    await all.set(slow({ forMinutes: 4 }))
    await measure(all, "a", [5, 900], [1, 900])
    expect(await all.look()).toHaveLength(1)
    // What was measured then is still within the time that is looked at.
    await db.query("update tidemark.metric_minutes__1 set minute = minute - interval '6 minutes'")
    expect((await all.look())[1]).toMatchObject({ data: { why: "no_data", value: null } })
    expect(await all.look()).toHaveLength(2)
  })
})

test("a rule of missed beats raises an alert of each agent that is late or lost, until it recovers", async () => {
  const all = await judged(start)
  await all.set({ rule: "silent", when: { kind: "missed_beats" } })
  await all.set({ rule: "gone", when: { kind: "missed_beats", from: "lost" }, severity: "CRITICAL" })
  await all.set({ rule: "own", when: { kind: "missed_beats", agent: "z" } })
  const verdict = { intervalMs: 60_000, heard: 0, lastBeatAt: null, missed: 2 }
  for (const agent of ["x", "y"])
    await all.one.emit(`heartbeat-${agent}`, { type: "HeartbeatRecorded", data: {} })
  await all.one.emit("health-x", { type: "AgentRanLate", data: verdict })
  const said = await all.look()
  expect(said).toMatchObject([
    { stream: "alert-silent", data: { subject: "x", severity: "WARNING", threshold: 2 } }
  ])
  expect((said[0]!.data as { summary: string }).summary).toMatch(/^x is late: it has missed \d+ beats?$/)
  await all.one.emit("health-x", { type: "AgentLost", data: { ...verdict, missed: 3 } })
  expect((await all.look()).slice(1)).toMatchObject([
    { stream: "alert-gone", type: "AlertRaised", data: { subject: "x", severity: "CRITICAL", threshold: 3 } }
  ])
  await all.one.emit("heartbeat-x", { type: "HeartbeatRecorded", data: {} })
  await all.one.emit("health-x", { type: "AgentRecovered", data: { ...verdict, was: "lost" } })
  const last = (await all.look()).slice(2)
  expect(last.map(({ stream, type }) => [stream, type]).toSorted()).toEqual([
    ["alert-gone", "AlertCleared"],
    ["alert-silent", "AlertCleared"]
  ])
  expect(last).toMatchObject([{ data: { why: "over" } }, { data: { why: "over" } }])
})

test("a rule of an error rate looks at the share of errors, and at how many there are", async () => {
  const all = await judged(start)
  await all.set({ rule: "errors", when: { kind: "error_rate", above: 0.5, atLeast: 3 } })
  await all.set({ rule: "own", when: { kind: "error_rate", above: 0, agent: "b" } })
  const log = (severity: "INFO" | "ERROR" | "CRITICAL", agent = "a", minutes = 0) =>
    all.one.run(all.systemEvents.log({ type: "t", severity, agent, occurredAt: ago(minutes) }))
  await log("ERROR")
  await log("CRITICAL")
  // Out of the window.
  await log("ERROR", "a", 7)
  expect(await all.look()).toEqual([])
  await log("ERROR")
  expect(await all.look()).toMatchObject([
    {
      stream: "alert-errors",
      data: {
        subject: "fleet",
        value: 1,
        threshold: 0.5,
        summary: "100 % of 3 system events in 300 s are errors, above 50 %, of fleet"
      }
    }
  ])
  for (let nth = 0; nth < 3; nth++) await log("INFO")
  expect((await all.look())[1]).toMatchObject({
    type: "AlertCleared",
    data: { subject: "fleet", why: "over", value: 0.5 }
  })
  await log("ERROR", "b")
  expect((await all.look()).slice(2).map(({ stream }) => stream)).toContain("alert-own")
})

test("a rule of system events looks at their type, severity, agent and number in its window", async () => {
  const all = await judged(start)
  const window = { windowMs: 120_000 }
  const kind = "system_event"
  await all.set({ rule: "bad", when: { kind, severity: "ERROR", ...window } })
  await all.set({ rule: "typed", when: { kind, type: "disk_full", atLeast: 2, ...window } })
  await all.set({ rule: "own", when: { kind, agent: "b", ...window } })
  const log = (type: string, severity: "WARNING" | "ERROR", minutes = 0) =>
    all.one.run(all.systemEvents.log({ type, severity, agent: "a", occurredAt: ago(minutes) }))
  await log("disk_full", "WARNING")
  await log("disk_full", "ERROR", 4)
  await log("other", "WARNING")
  expect(await all.look()).toEqual([])
  await log("disk_full", "ERROR")
  const said = await all.look()
  expect(said.map(({ stream }) => stream).toSorted()).toEqual(["alert-bad", "alert-typed"])
  expect(said.find(({ stream }) => stream === "alert-typed")).toMatchObject({
    data: {
      subject: "fleet",
      value: 2,
      threshold: 2,
      summary: '2 system events "disk_full", DEBUG or worse, in 120 s, of fleet'
    }
  })
  await db.query("update tidemark.system_events__1 set timestamp = timestamp - interval '10 minutes'")
  expect((await all.look()).slice(2)).toMatchObject([
    { type: "AlertCleared", data: { why: "over", value: 0 } },
    { type: "AlertCleared", data: { why: "over", value: 0 } }
  ])
})

test("a rule of lag raises an alert of each read model that is behind, by its name", async () => {
  const all = await judged(start)
  const sick = counters({
    name: "sick",
    count: () => {
      throw new Error("no")
    }
  })
  await all.one.project(sick)
  await all.one.project(counters({ name: "well" }))
  await all.set({ rule: "behind", when: { kind: "projection_lag", of: "events", above: 1 } })
  await all.set({ rule: "other", when: { kind: "projection_lag", projection: "well", above: 0 } })
  await all.one.emit("counter-1", { type: "Counted", data: { by: 1 } })
  await stops(all.one, "sick")
  await all.one.reaches("well", await all.one.run(all.one.log.settled))
  expect(await all.look()).toEqual([])
  await all.one.emit("counter-1", { type: "Counted", data: { by: 1 } })
  await all.one.reaches("well", await all.one.run(all.one.log.settled))
  expect(await all.look()).toMatchObject([
    {
      stream: "alert-behind",
      data: {
        subject: "sick",
        value: 2,
        threshold: 1,
        summary: "sick is stopped, and behind the log: 2 events"
      }
    }
  ])
  await all.set({ rule: "behind", when: { kind: "projection_lag", of: "events", above: 2 } })
  expect((await all.look())[1]).toMatchObject({ data: { subject: "sick", why: "rule_changed", value: 2 } })
  await all.set({ rule: "behind", when: { kind: "projection_lag", above: 0 } })
  expect((await all.look())[2]).toMatchObject({ data: { subject: "sick", threshold: 0, ruleVersion: 3 } })
})
