import { Effect } from "effect"
import { describe, expect, test } from "vitest"
import type { Event } from "../../src/log/event.ts"
import { TELEMETRY_NAMES } from "../../src/log/telemetry.ts"
import { testDatabase } from "../support/database.ts"
import { collector, until } from "../support/eventually.ts"
import { TelemetryHost } from "./telemetry-host.ts"
import { watchedLog } from "./watched-log.ts"

const database = testDatabase()

describe("metrics", () => {
  test("appended events are counted, of emits and of transactions that commit", async () => {
    await using host = new TelemetryHost()
    await using engine = await watchedLog(database)
    const three = Array.from({ length: 3 }, () => ({ type: "noted" }))
    await engine.run(engine.log.emit("note-counted", three))
    await engine.run(engine.log.transaction((tx) => tx.emit("note-counted", three)))
    const rolledBack = engine.log.transaction((tx) =>
      Effect.andThen(tx.emit("note-counted", three), Effect.fail("changed my mind"))
    )
    await expect(engine.run(rolledBack)).rejects.toBe("changed my mind")
    expect(await host.value("tidemark.events.emitted")).toBe(6)
  })

  test("an emit's duration is measured apart by what it failed with", async () => {
    await using host = new TelemetryHost()
    await using engine = await watchedLog(database)
    await engine.emit("note-timed")
    await engine.emit("note-timed")
    const conflict = engine.log.emit("note-timed", { type: "noted" }, { expected: "none" })
    await expect(engine.run(conflict)).rejects.toThrow("version 2")
    expect(await host.value("tidemark.emit.duration")).toMatchObject({ count: 2 })
    const failed = await host.value("tidemark.emit.duration", { "error.type": "VersionConflict" })
    expect(failed).toMatchObject({ count: 1 })
  })

  test("every delivery is counted, and its latency measured while it is live", async () => {
    await using host = new TelemetryHost()
    await using engine = await watchedLog(database)
    await engine.emit("note-delivered")
    const first = collector<Event>()
    const early = await engine.subscribe("note-delivered", first.push, "start")
    await first.reaches(1)
    expect(await host.value("tidemark.delivery.latency")).toBeUndefined()
    const second = collector<Event>()
    const late = await engine.subscribe("note-delivered", second.push)
    await until(() => early.status().state === "live" && late.status().state === "live")
    await engine.emit("note-delivered")
    await first.reaches(2)
    await second.reaches(1)
    expect(await host.value("tidemark.events.delivered")).toBe(3)
    const latency = await host.value("tidemark.delivery.latency")
    expect(latency).toMatchObject({ count: 2 })
    expect((latency as { readonly sum: number }).sum).toBeGreaterThanOrEqual(0)
  })

  test("gauges show the feed, the queue and the projections of a log, until its engine closes", async () => {
    await using host = new TelemetryHost()
    const log = { [TELEMETRY_NAMES.log]: "" }
    let asked = 0
    {
      await using engine = await watchedLog(database)
      log[TELEMETRY_NAMES.log] = (
        await database.query<{ id: string }>("select log_id as id from tidemark.log")
      )[0]!.id
      await engine.gauges(() => {
        asked += 1
        return [["agents", 12]]
      })
      expect(await host.value("tidemark.feed.position", log)).toBeUndefined()
      const events = collector<Event>()
      await engine.subscribe("note-gauged", events.push)
      const { position } = await engine.emit("note-gauged")
      await events.reaches(1)
      expect(await host.value("tidemark.feed.position", log)).toBe(position)
      expect(await host.value("tidemark.emit.waiting", log)).toBe(0)
      const lag = await host.value("tidemark.projection.lag", { ...log, "tidemark.projection": "agents" })
      expect(lag).toBe(12)
    }
    const before = asked
    await host.points("tidemark.projection.lag")
    expect(asked).toBe(before)
    expect(before).toBeGreaterThan(0)
  })
})
