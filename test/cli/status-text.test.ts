import { describe, expect, test } from "vitest"
import { behind } from "../../src/cli/start/facts.ts"
import { statusText } from "../../src/cli/status-text.ts"
import { noPaint } from "../../src/cli/terminal/palette.ts"
import type { EngineStatus } from "../../src/index.ts"

const projection = (name: string, atMost: number, isCount: boolean): EngineStatus["projections"][number] => ({
  name,
  version: 1,
  generation: 1,
  state: isCount ? "running" : "catching up",
  position: 1200,
  lag: { atMost, isCount },
  rate: 0,
  follows: false,
  error: undefined,
  owner: { engine: "0", application: "billing", host: "here", pid: 7 },
  lagMs: atMost === 0 ? 0 : 4_200
})

const durablePartition = (
  partition: number,
  application?: string
): EngineStatus["durable"][number]["partitions"][number] => ({
  partition,
  position: 1200,
  state: "running",
  lag: { atLeast: 12, atMost: 12, isCount: true },
  droppedUpTo: undefined,
  lagMs: 3_000,
  owner: application === undefined ? undefined : { engine: application, application, host: "here", pid: 7 },
  rate: 20,
  error: undefined,
  held: { retrying: 0, waiting: 0, parked: 0 }
})

const status: Parameters<typeof statusText>[0] = {
  log: "0000",
  epoch: 1,
  schema: "tidemark",
  standby: false,
  head: 1290,
  settled: 1290,
  database: "127.0.0.1:5432/x as y",
  directory: undefined,
  wake: { mode: "listening", reason: "NOTIFY arrives" },
  emit: { waiting: 0, blocked: 0, underWay: 0 },
  feed: { position: 1290, lag: 0, heldForMs: 0, heldBy: [], error: undefined },
  telemetry: {
    partitions: [
      { name: "telemetry_0", from: 0, upTo: 10_000_000, bytes: 3 * 1024 ** 2 },
      { name: "telemetry_1", from: 10_000_000, upTo: 20_000_000, bytes: 512 * 1024 }
    ],
    ahead: 1,
    warning: undefined
  },
  subscriptions: [],
  projections: [
    projection("agents", 0, true),
    projection("heartbeats", 3, true),
    { ...projection("metrics", 90, false), owner: undefined, lagMs: undefined, rate: 310 }
  ],
  durable: [
    {
      name: "mailer",
      filter: {},
      state: "running",
      createdAt: new Date(0),
      members: 2,
      dealing: undefined,
      lag: { atLeast: 48, atMost: 48, isCount: true },
      lagMs: 3_000,
      held: { retrying: 0, waiting: 4, parked: 1 },
      partitions: [
        durablePartition(0, "a"),
        durablePartition(1, "a"),
        { ...durablePartition(2, "b"), state: "stopped", error: "no\u001b[2J mail" },
        { ...durablePartition(3), rate: undefined, error: "late" }
      ]
    }
  ],
  rebuilds: [
    {
      projection: "agents",
      generation: 2,
      version: 1,
      position: 300,
      target: 1200,
      events: 290,
      rate: 61_000,
      ageMs: 5_000,
      etaMs: 15_000,
      owner: { engine: "1", application: "operator", host: "there", pid: 8 }
    },
    {
      projection: "metrics",
      generation: 3,
      version: 1,
      position: 0,
      target: 0,
      events: 0,
      rate: 0,
      ageMs: 5_000,
      etaMs: undefined,
      owner: undefined
    }
  ],
  sync: { waiting: 0, retrying: 0, held: 0, parked: 0, oldestMs: 0, broken: [] }
} as unknown as Parameters<typeof statusText>[0]

describe("the status of projections", () => {
  test("gives a lag in events where they were counted, and else in positions as a bound", () => {
    const text = statusText(status, noPaint)
    expect(text).toMatch(/agents +1200 +caught up +folded by billing on here \(pid 7\)$/m)
    expect(text).toMatch(/heartbeats +1200 +3 events behind, for 4\.2 s +folded by billing/m)
    expect(text).toMatch(/metrics +1200 +≤ 90 positions behind +folded by nobody +310\/s$/m)
  })

  test("tells of rebuilds how far they are, how long they take, and who is at it", () => {
    const text = statusText(status, noPaint)
    expect(text).toMatch(
      /rebuilds +agents +generation 2 +25 % +61k\/s +0:15 left +by operator on there \(pid 8\)$/m
    )
    expect(text).toMatch(/metrics +generation 3 +begins +0\.0\/s +left behind +by nobody$/m)
  })

  test.each([
    [1, true, "1 event"],
    [1, false, "≤ 1 position"],
    [12, false, "≤ 12 positions"]
  ])("says %i, counted: %s, as %s", (lag, isCount, text) => {
    expect(behind({ lag, isCount })).toBe(text)
  })
})

describe("the status of telemetry", () => {
  const ofTelemetry = (telemetry: Partial<EngineStatus["telemetry"]>) =>
    statusText({ ...status, telemetry: { ...status.telemetry, ...telemetry } }, noPaint)

  test("says how many partitions there are, how large, and how many lie ahead", () => {
    expect(ofTelemetry({})).toMatch(/^telemetry +2 partitions, 3\.5 MB, 1 ahead$/m)
  })

  test("says that none lies ahead, and what to do", () => {
    expect(ofTelemetry({ ahead: 0, warning: "no partition lies ahead: do this" })).toMatch(
      /^telemetry +2 partitions, 3\.5 MB, no partition lies ahead: do this$/m
    )
  })
})

test("the status tells what is still to be brought from state to state, and into which nothing is brought", () => {
  expect(statusText(status, noPaint)).not.toMatch(/^syncs/m)
  const failure = { error: "StatementTimeout", message: "the server took too long" }
  const broken = [{ agent: "b-7", branch: "main", failures: 6, openUntil: new Date(), failure }]
  const sync = { waiting: 2, retrying: 1, held: 0, parked: 4, oldestMs: 3_000, broken }
  const text = statusText({ ...status, sync }, noPaint)
  expect(text).toMatch(/^syncs +2 waiting, 1 retrying, 4 parked, for 3\.0 s at most$/m)
  expect(text).toMatch(
    /^ +b-7 failed 6 times in a row and is left alone for a while: the server took too long$/m
  )
  expect(statusText({ ...status, sync: { ...sync, waiting: 0, retrying: 0, broken: [] } }, noPaint)).toMatch(
    /^syncs +4 parked$/m
  )
})

test("the status says that a pooler is in between", () => {
  expect(statusText(status, noPaint)).not.toContain("pooler")
  expect(statusText({ ...status, pooled: true }, noPaint)).toMatch(/^database .* \(behind a pooler\)$/m)
})

describe("the status of durable subscriptions", () => {
  test("tells whose the partitions are, what is held, and what stopped one", () => {
    const text = statusText(status, noPaint)
    expect(text).toMatch(
      /^consumers +mailer +running +2 engines +48 events behind, for 3\.0 s +4 waiting, 1 parked$/m
    )
    expect(text).toMatch(/^ +2 partitions +handled by a on here \(pid 7\) +40\/s$/m)
    expect(text).toMatch(/^ +1 partition +handled by b on here \(pid 7\) +20\/s$/m)
    expect(text).toMatch(/^ +1 partition +handled by nobody$/m)
    expect(text).toMatch(/^ +partition 2 stopped: no \[2J mail$/m)
    expect(text).toMatch(/^ +partition 3 failed last: late$/m)
  })

  test.each([
    [{ atLeast: 0, atMost: 0, isCount: true }, "caught up"],
    [{ atLeast: 1, atMost: 1, isCount: true }, "1 event behind, for 3.0 s"],
    [
      { atLeast: 10_000, atMost: 900_000, isCount: false },
      "> 10000 events, ≤ 900000 positions behind, for 3.0 s"
    ],
    [{ atLeast: 0, atMost: 900_000, isCount: false }, "≤ 900000 positions behind, for 3.0 s"]
  ])("say a lag of %j as %s", (lag, text) => {
    const [mailer] = status.durable
    expect(statusText({ ...status, durable: [{ ...mailer!, lag }] }, noPaint)).toContain(` ${text} `)
  })
})
