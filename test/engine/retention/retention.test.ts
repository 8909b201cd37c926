import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, beforeAll, describe, expect, test } from "vitest"
import { TokenTooOld } from "../../../src/errors.ts"
import type { RetentionReport } from "../../../src/engine/upkeep.ts"
import { type Engine, type Event, open } from "../../../src/index.ts"
import { testDatabase } from "../../support/database.ts"
import { age, allPast, leap, rowsOf, tell, WIDTH } from "./fleet.ts"

// The life of a partition: told, over, summed up, archived, gone; and what is left of it.

const db = testDatabase()
let engine: Engine
let directory = ""
let first = ""
let before: ReadonlyArray<Event> = []
let dry: RetentionReport
let done: RetentionReport

const gathered = async (events: AsyncIterable<Event>): Promise<ReadonlyArray<Event>> => {
  const all = []
  for await (const event of events) all.push(event)
  return all
}

const outcomes = ({ steps }: RetentionReport) =>
  steps.map(({ kind, subject, outcome, events }) => [kind, subject, outcome, events])

const ROUNDS = 12

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "tidemark-archive-"))
  engine = await open({ database: db.url, logger: false })
  first = (await engine.emit("order-1", { type: "Made" })).token
  const last = await tell(engine, ROUNDS)
  await age(db, last, 40)
  before = (await gathered(engine.replay({}))).filter(({ stream }) =>
    /^(?:heartbeat|metric|system_log)-/.test(stream)
  )
  await leap(db, 1)
  await tell(engine, 2)
  await allPast(db, WIDTH)
  dry = await engine.retain({ dryRun: true, archiveDirectory: directory })
})
afterAll(async () => {
  await engine.close()
  await rm(directory, { recursive: true, force: true })
})

test("a dry run tells what would be done, and does nothing", async () => {
  expect(outcomes(dry)).toEqual([
    ["retire", "heartbeat", "would", ROUNDS * 2],
    ["retire", "metric", "would", ROUNDS * 4],
    ["retire", "system_log", "would", ROUNDS],
    ["roll up", "telemetry_0", "would", null],
    ["archive", "telemetry_0", "would", null],
    ["drop", "telemetry_0", "would", null]
  ])
  expect(dry.partitions).toMatchObject([
    { partition: "telemetry_0", outcome: "would be dropped", why: null },
    { partition: "telemetry_1", outcome: "stays", why: "the log has not come to its end yet" }
  ])
  expect(await rowsOf(db)).toMatchObject({ beats: (ROUNDS + 2) * 2, measurements: (ROUNDS + 2) * 4 })
})

describe("what is over", () => {
  beforeAll(async () => {
    done = await engine.retain({ archiveDirectory: directory })
  })

  test("is told, summed up, archived and dropped", async () => {
    expect(outcomes(done)).toEqual([
      ["retire", "heartbeat", "done", ROUNDS * 2],
      ["retire", "metric", "done", ROUNDS * 4],
      ["retire", "system_log", "done", ROUNDS],
      ["roll up", "telemetry_0", "done", null],
      ["archive", "telemetry_0", "done", before.length],
      ["drop", "telemetry_0", "done", null]
    ])
    expect(done.partitions[0]).toMatchObject({ outcome: "dropped", archive: { events: before.length } })
    expect((await engine.status()).telemetry.partitions.map(({ name }) => name)).not.toContain("telemetry_0")
    const [dropped] = await gathered(engine.read("retention-log"))
    expect(dropped).toMatchObject({
      type: "TelemetryDropped",
      data: {
        partition: "telemetry_0",
        from: 0,
        upTo: WIDTH,
        categories: ["heartbeat", "metric", "system_log"]
      }
    })
  })

  test("leaves the read models, but for sums by the hour and what is kept for ever", async () => {
    const { position } = await engine.heartbeats.record({ agent: "a" })
    await engine.heartbeats.recent()
    expect(position).toBeGreaterThan(WIDTH)
    expect(await rowsOf(db)).toMatchObject({
      beats: 5,
      measurements: 8,
      summed: (ROUNDS + 2) * 4,
      logged: 2,
      kept: ROUNDS + 2
    })
  })

  test.each(["heartbeats", "metrics", "metric_rollups", "system_events"])(
    "is not there in %s when it is built anew from what is left",
    async (name) => {
      const { verified } = await engine.rebuild(name, { verify: true })
      for (const table of verified!.tables)
        expect(table).toMatchObject({ different: 0, onlyLive: 0, onlyRebuilt: 0 })
    }
  )

  test("is no hindrance to read models that are built anew by name: they fold on, also in an engine that is opened then", async () => {
    const count = async (one: Engine) => {
      const { position } = await one.heartbeats.record({ agent: "again" })
      return (await one.heartbeats.recent({ agent: "again" })).some(({ id }) => id === position)
    }
    expect(await count(engine)).toBe(true)
    await using another = await open({ database: db.url, logger: false })
    expect(await count(another)).toBe(true)
  })

  test("is refused to whoever goes on from there, and given by the archive as it was", async () => {
    await expect(engine.subscribe({ from: first }, () => undefined)).rejects.toBeInstanceOf(TokenTooOld)
    const file = join(directory, (await engine.status()).log, "telemetry_0.jsonl.gz")
    expect(await gathered(engine.archived(file))).toEqual(before)
  })

  test("is not touched again", async () => {
    const again = await engine.retain({ archiveDirectory: directory })
    expect(again.steps.filter(({ kind }) => kind !== "retire")).toEqual([])
    expect(again.steps.map(({ events }) => events)).toEqual([0, 0, 0])
    expect(again.partitions.map(({ partition }) => partition)).toEqual(["telemetry_1"])
  })
})
