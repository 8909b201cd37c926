import fc from "fast-check"
import { describe, expect, test } from "vitest"
import type { Event } from "../../src/index.ts"
import { NO_FACTS } from "../../src/cli/start/facts.ts"
import { thresholds } from "../../src/cli/start/limits.ts"
import { type Standing, statusLine } from "../../src/cli/start/status-line.ts"
import { summaryLines, summaryOf } from "../../src/cli/start/summary.ts"
import { Tally } from "../../src/cli/start/tally.ts"
import { CLEAR_SHARE, Thresholds } from "../../src/cli/start/threshold.ts"
import { EventRows } from "../../src/cli/terminal/event-row.ts"
import { noPaint } from "../../src/cli/terminal/palette.ts"
import { widthOf } from "../../src/cli/terminal/text.ts"

const event = (position: number, rest: Partial<Event> = {}): Event => ({
  position,
  id: `00000000-0000-7000-8000-${String(position).padStart(12, "0")}`,
  stream: "agent-host-workbench",
  version: position,
  type: "AgentRegistered",
  data: { state: "running" },
  labels: [],
  meta: {},
  recordedAt: new Date(10_000),
  schemaVersion: 1,
  ...rest
})

describe("thresholds", () => {
  test("a value that trembles at the limit is one alert, and its end is told once", () => {
    const limits = new Thresholds([{ metric: "cpu", limit: 100 }])
    const changes = [50, 99, 100, 120, 95, 100, 91, 89, 95, 50, 101].map(
      (value) => limits.judge("cpu", value)?.change
    )
    expect(changes.map((change, index) => [index, change]).filter(([, change]) => change)).toEqual([
      [2, "crossed"],
      [7, "cleared"],
      [10, "crossed"]
    ])
  })

  test("crossings and their ends alternate, and an alert is open exactly between them", () => {
    fc.assert(
      fc.property(fc.array(fc.double({ min: 0, max: 200, noNaN: true })), (values) => {
        const limits = new Thresholds([{ metric: "cpu", limit: 100 }])
        let isOpen = false
        for (const value of values) {
          const change = limits.judge("cpu", value)?.change
          if (change !== undefined) {
            expect(change).toBe(isOpen ? "cleared" : "crossed")
            isOpen = !isOpen
          }
          expect(limits.alerts).toEqual(isOpen ? ["cpu"] : [])
          if (value >= 100) expect(isOpen).toBe(true)
          if (value < 100 * (1 - CLEAR_SHARE)) expect(isOpen).toBe(false)
        }
      })
    )
  })

  test("go on with the alerts that were open before, and with a verdict that was taken back", () => {
    const limits = new Thresholds([{ metric: "cpu", limit: 100 }], ["cpu", "unknown"])
    expect(limits.alerts).toEqual(["cpu"])
    expect(limits.judge("cpu", 150)).toBeUndefined()
    const cleared = limits.judge("cpu", 10)!
    limits.undo(cleared)
    expect(limits.judge("cpu", 10)).toEqual(cleared)
  })

  test("are replaced one by one", () => {
    const limits = new Map(thresholds("cpu=50, disk=70").map(({ metric, limit }) => [metric, limit]))
    expect(limits.get("cpu")).toBe(50)
    expect(limits.get("disk")).toBe(70)
    expect(limits.get("memory")).toBe(90)
    expect(() => thresholds("cpu")).toThrow("<metric>=<limit>")
    expect(() => thresholds("cpu=0")).toThrow("above 0")
    expect(() => thresholds("gpu=3")).toThrow('no metric "gpu"')
  })
})

describe("the tally", () => {
  test("takes the time from emit to callback, also when the callback comes first", () => {
    const tally = new Tally(0)
    tally.note({ stream: "a-1", version: 2 }, 2, 100)
    expect(tally.deliver({ stream: "a-1", version: 1 }, 103)).toBe(3)
    expect(tally.deliver({ stream: "a-1", version: 3 }, 110)).toBeUndefined()
    tally.note({ stream: "a-1", version: 3 }, 1, 105)
    expect(tally.deliver({ stream: "b-1", version: 1 }, 111)).toBeUndefined()
    expect(tally).toMatchObject({ emitted: 3, delivered: 3, returned: 2, outstanding: 1 })
    expect(tally.latency!.max).toBeCloseTo(5, 1)
  })

  test("gives percentiles in ms", () => {
    const tally = new Tally(0)
    for (let version = 1; version <= 1000; version++) {
      tally.note({ stream: "a-1", version }, 1, 0)
      tally.deliver({ stream: "a-1", version }, version / 10)
    }
    const { p50, p99, max } = tally.latency!
    expect(p50).toBeCloseTo(50, 0)
    expect(p99).toBeCloseTo(99, 0)
    expect(max).toBeCloseTo(100, 0)
    expect(new Tally(0).latency).toBeUndefined()
  })

  test("takes the rate over the last whole seconds", () => {
    const tally = new Tally(0)
    for (let second = 0; second < 10; second++) {
      for (let n = 1; n <= 4; n++)
        tally.deliver({ stream: "a-1", version: second * 4 + n }, second * 1000 + n)
    }
    expect(tally.rate(10_000)).toBe(4)
    expect(tally.rate(20_000)).toBe(0)
  })

  test("remembers only so many events of others", () => {
    const tally = new Tally(0)
    for (let version = 1; version <= 5000; version++) tally.deliver({ stream: "a-1", version }, 1)
    tally.note({ stream: "a-1", version: 1 }, 1, 0)
    expect(tally.outstanding).toBe(1)
    tally.note({ stream: "a-1", version: 5000 }, 1, 0)
    expect(tally.returned).toBe(1)
  })
})

describe("the row of an event", () => {
  const arrival = { event: event(1204), at: 10_012, latencyMs: 1.84 }

  test("shows position, age, latency, stream, type and data", () => {
    expect(new EventRows(noPaint, undefined).row(arrival).split(/ {2,}/)).toEqual([
      "",
      "1204",
      "12 ms",
      "1.8 ms",
      "agent-host-workbench",
      "AgentRegistered",
      "state=running"
    ])
  })

  test("tells an estimate from a measurement, and leaves out what says nothing", () => {
    const rows = new EventRows(noPaint, undefined)
    expect(rows.row({ ...arrival, isEstimate: true })).toContain("~1.8 ms")
    expect(rows.row({ ...arrival, latencyMs: undefined })).not.toContain("1.8 ms")
  })

  test.each([200, 120, 80, 60, 45, 30, 20])("fits a terminal of %i columns, as its header does", (width) => {
    const rows = new EventRows(noPaint, width)
    const long = event(123_456_789, { stream: `metric-${"x".repeat(200)}`, data: { text: "潮".repeat(300) } })
    expect(widthOf(rows.row({ event: long, at: 10_012, latencyMs: 12 }))).toBeLessThanOrEqual(width)
    expect(widthOf(rows.header())).toBeLessThanOrEqual(width)
    expect(rows.row(arrival)).toContain("agent")
  })
})

const standing: Standing = {
  facts: {
    ...NO_FACTS,
    settled: 1290,
    projections: ["agents", "heartbeats", "metrics"].map((name, index) => ({
      name,
      position: 1290,
      lag: index,
      isCount: index < 2,
      isStopped: false,
      follows: false,
      error: undefined
    }))
  },
  perSecond: 2.4,
  latency: { p50: 1.8, p99: 4.2, max: 9 },
  alerts: [],
  runningMs: 42_000,
  isEnding: false
}

describe("the status line", () => {
  test("shows rate, settled position, the lag of each projection and the latency", () => {
    expect(statusLine(standing, noPaint, 140)).toBe(
      " 2.4/s  settled 1290  lag agents 0 · heartbeats 1 event · metrics ≤ 2 positions  p50 1.8 ms · p99 4.2 ms  0:42  Ctrl-C stops"
    )
  })

  test.each([120, 80, 60, 40, 20, 8])("fits a terminal of %i columns", (width) => {
    const busy = { ...standing, alerts: ["cpu", "memory"], facts: { ...standing.facts, isPolling: true } }
    const line = statusLine(busy, noPaint, width)
    expect(widthOf(line)).toBeLessThanOrEqual(width)
    expect(line).toContain("2.4/s")
  })

  test("shows only the longest lag where there is little room, with its unit", () => {
    expect(statusLine(standing, noPaint, 80)).toContain("lag ≤ 2 positions")
    const counts = standing.facts.projections.map((projection) => ({ ...projection, isCount: true }))
    const facts = { ...standing.facts, projections: counts }
    expect(statusLine({ ...standing, facts }, noPaint, 80)).toContain("lag 2 events")
  })

  test("puts trouble first", () => {
    const facts = { ...standing.facts, trouble: "gone", heldForMs: 2_000, isPolling: true }
    const line = statusLine({ ...standing, facts, alerts: ["cpu"] }, noPaint, 60)
    expect(line).toContain("no connection")
    expect(line).toMatch(/! cpu|1 alert/)
    expect(line).toContain("held 2.0 s")
  })
})

describe("the summary", () => {
  test("says what was emitted, delivered, how fast, and how far the projections are", () => {
    const tally = new Tally(0)
    tally.note({ stream: "a-1", version: 1 }, 1, 0)
    tally.deliver({ stream: "a-1", version: 1 }, 2)
    tally.deliver({ stream: "b-1", version: 1 }, 2)
    const summary = summaryOf({
      tally,
      facts: standing.facts,
      mostLag: new Map([["agents", 7]]),
      from: 1288,
      runningMs: 10_004,
      agents: ["host-workbench"]
    })
    expect(summary).toMatchObject({
      seconds: 10,
      from: 1288,
      settled: 1290,
      emitted: 1,
      returned: 1,
      delivered: 2
    })
    const text = summaryLines(summary, noPaint).join("\n")
    expect(text).toMatch(/emitted +1 event$/m)
    expect(text).toMatch(/delivered +2 events, 1 of other processes$/m)
    expect(text).toMatch(/latency +p50 2\.0 ms · p99 2\.0 ms · max 2\.0 ms$/m)
    expect(text).toMatch(/projections +agents caught up, at most 7 events behind$/m)
    expect(text).toMatch(/heartbeats 1 event behind$/m)
    expect(text).toMatch(/metrics ≤ 2 positions behind$/m)
    expect(JSON.parse(JSON.stringify(summary)).projections).toMatchObject([
      { name: "agents", lag: 0, isCount: true, mostLag: 7 },
      { name: "heartbeats", lag: 1, isCount: true, mostLag: 1 },
      { name: "metrics", lag: 2, isCount: false, mostLag: 2 }
    ])
  })
})
