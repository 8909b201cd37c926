import { afterEach, beforeEach, describe, expect, test } from "vitest"
import type { RetentionReport } from "../../../src/engine/upkeep.ts"
import { GenerationTooOld, InvalidArgument, ReadOnly, RetentionUnderWay } from "../../../src/errors.ts"
import { type Engine, open } from "../../../src/index.ts"
import { connected } from "../../support/admin.ts"
import { testDatabase } from "../../support/database.ts"
import { until } from "../../support/eventually.ts"
import { privateServer, standbyOf } from "../../support/server.ts"
import { age, allPast, leap, tell, WIDTH } from "./fleet.ts"

// What keeps a partition, each said with its reason; and what goes once that is over.

const file = testDatabase()
let url = ""
let engine: Engine

const query = <Row>(sql: string, params: ReadonlyArray<unknown> = []) =>
  connected(url, async (client) => (await client.query(sql, [...params])).rows as ReadonlyArray<Row>)
const db = {
  get url() {
    return url
  },
  query
}

beforeEach(async () => {
  url = await file.fresh()
  engine = await open({ database: url, logger: false })
})
afterEach(() => engine.close())

/** A part of the log that is over, and the beginning of the next. */
const past = async (): Promise<void> => {
  const last = await tell(engine, 1)
  await age(db, last, 40)
  await leap(db, 1)
  await tell(engine, 1)
  await allPast(db, WIDTH)
}

const fates = ({ partitions }: RetentionReport) =>
  partitions.map(({ partition, outcome, why }) => [partition, outcome, why])

const UNFINISHED = ["telemetry_1", "stays", "it comes after telemetry_0, which stays"]

describe("a partition stays", () => {
  test("while it has telemetry that is kept for ever, unless it is said how long that is kept", async () => {
    await query("select tidemark.declare_category('trace', true)")
    await engine.emit("trace-1", { type: "Seen" })
    await past()
    expect(fates(await engine.retain())).toEqual([
      ["telemetry_0", "stays", "it holds events of trace, which are kept for ever (telemetryDays)"],
      UNFINISHED
    ])
    expect(fates(await engine.retain({ telemetryDays: 41 }))[0]).toEqual([
      "telemetry_0",
      "stays",
      "it holds events of trace that are not 41 days old yet"
    ])
    expect(fates(await engine.retain({ telemetryDays: 39 }))[0]).toEqual(["telemetry_0", "dropped", null])
  })

  test("while a durable subscription has still to read it, and no other does", async () => {
    const orders = await engine.subscribe({ name: "orders", categories: ["order"] }, () => undefined)
    await orders.stop()
    await past()
    await (
      await engine.subscribe({ name: "beats", categories: ["heartbeat"], from: "start" }, () => undefined)
    ).stop()
    await query("update tidemark.subscription_cursors set position = 0")
    expect(fates(await engine.retain())[0]).toEqual([
      "telemetry_0",
      "stays",
      "subscription beats has come to position 0 only"
    ])
    await engine.subscription("beats").delete()
    expect(fates(await engine.retain())[0]).toEqual(["telemetry_0", "dropped", null])
  })

  test("while a subscription holds an event of it that it could not handle", async () => {
    const failing = await engine.subscribe(
      { name: "beats", categories: ["heartbeat"], retry: { attempts: 1 } },
      ({ position }) => {
        if (position < WIDTH) throw new Error("no")
      }
    )
    await past()
    await until(async () =>
      (await engine.subscription("beats").status()).partitions.every(({ position }) => position > WIDTH)
    )
    await failing.stop()
    const [[, outcome, why] = []] = fates(await engine.retain())
    expect(outcome).toBe("stays")
    expect(why).toMatch(
      /^subscription beats holds an event of it, at position \d+, that it could not handle$/
    )
  })

  test("while a read model has not folded it, stopped or not", async () => {
    await past()
    await query("update tidemark.projections set position = 3, state = 'stopped' where name = 'help'")
    expect(fates(await engine.retain())[0]).toEqual([
      "telemetry_0",
      "stays",
      "read model help has come to position 3 only"
    ])
  })

  test("while nobody has summed up its measurements", async () => {
    await past()
    await query("delete from tidemark.projections where name = 'metric_rollups'")
    const [[, outcome, why] = []] = fates(await engine.retain())
    expect([outcome, why]).toEqual([
      "stays",
      "nobody has summed up its measurements: the read model metric_rollups is not there"
    ])
  })

  test("while its table is in use, for as long as that is waited for", async () => {
    await past()
    await connected(url, async (client) => {
      await client.query("begin; lock table tidemark.telemetry_0 in access share mode")
      const waiting = engine.retain()
      // It waits for the table, and appends go on meanwhile.
      await until(
        async () =>
          (await query("select from pg_locks where not granted and mode = 'AccessExclusiveLock'")).length > 0
      )
      await engine.heartbeats.record({ agent: "a" })
      await client.query("rollback")
      expect(fates(await waiting)[0]).toEqual(["telemetry_0", "dropped", null])
    })
  })
})

test("what was over by a shorter time stays, once a longer one is said", async () => {
  await past()
  const blocked = await engine.subscribe({ name: "slow", categories: ["heartbeat"] }, () => undefined)
  await blocked.stop()
  await query("update tidemark.subscription_cursors set position = 0")
  expect(fates(await engine.retain())[0]).toMatchObject({ 1: "stays" })
  await engine.subscription("slow").delete()
  const days = { heartbeatDays: 365, metricDays: 365, systemLogDays: 365 }
  expect(fates(await engine.retain(days))[0]).toEqual([
    "telemetry_0",
    "stays",
    "it holds events of heartbeat that are not 365 days old yet"
  ])
})

test("a partition stays while it has what nobody declared to be telemetry", async () => {
  await past()
  await query(
    "insert into tidemark.telemetry (position, id, stream, version, type, data, recorded_at) values (9000000, gen_random_uuid(), 'foo-x', 1, 'Odd', '{}', now() - interval '40 days')"
  )
  expect(fates(await engine.retain())[0]![2]).toContain("a category that is not declared to be telemetry")
})

test("a partition stays for whoever goes back while its table is waited for", async () => {
  await (await engine.subscribe({ name: "beats", categories: ["heartbeat"] }, () => undefined)).stop()
  await past()
  await query("update tidemark.subscription_cursors set position = 10000020")
  await connected(url, async (client) => {
    await client.query("begin; lock table tidemark.telemetry_0 in access share mode")
    const waiting = engine.retain()
    await until(
      async () =>
        (await query("select from pg_locks where not granted and mode = 'AccessExclusiveLock'")).length > 0
    )
    await query("update tidemark.subscription_cursors set position = 0")
    await client.query("rollback")
    const { steps, partitions } = await waiting
    expect(partitions[0]).toMatchObject({ outcome: "stays" })
    expect(steps.at(-1)).toMatchObject({
      kind: "drop",
      outcome: "failed",
      problem: "subscription beats has come to position 0 only"
    })
  })
  expect(await query("select to_regclass('tidemark.telemetry_0') is not null as there")).toEqual([
    { there: true }
  ])
})

test("what was looked through is not looked through again, and a log that rests is told nothing", async () => {
  await past()
  await age(db, 2 * WIDTH, 40)
  await engine.retain()
  // The other categories have nothing meanwhile.
  const { position } = await engine.heartbeats.record({ agent: "a" })
  await age(db, position, 40)
  await engine.retain()
  const told = () =>
    query<{ stream: string; events: number; upTo: number }>(
      `select stream, count(*)::integer as events, max((data ->> 'upTo')::bigint)::integer as "upTo"
       from tidemark.events where type = 'TelemetryRetired' group by 1 order by 1`
    )
  const first = await told()
  expect(first.map(({ upTo }) => upTo >= position)).toEqual([true, true, true])
  await engine.retain()
  await engine.retain()
  expect(await told()).toEqual(first)
})

describe("what may be said", () => {
  test.each([
    [{ heartbeatDays: -1 }, "heartbeatDays"],
    [{ metricDays: 1.5 }, "metricDays"],
    [{ systemLogDays: 36_501 }, "systemLogDays"],
    [{ telemetryDays: Number.NaN }, "telemetryDays"]
  ])("%j is refused by its name", async (options, name) => {
    const refused = engine.retain(options)
    await expect(refused).rejects.toBeInstanceOf(InvalidArgument)
    await expect(refused).rejects.toThrow(name)
  })

  test("days of each category by themselves, and 0 keeps for ever", async () => {
    await past()
    const { categories } = await engine.retain({
      dryRun: true,
      heartbeatDays: 0,
      metricDays: 41,
      systemLogDays: 39
    })
    expect(categories).toMatchObject([
      { category: "heartbeat", keptDays: null, retiredUpTo: 0 },
      { category: "metric", keptDays: 41, retiredUpTo: 0 },
      { category: "system_log", keptDays: 39 }
    ])
  })

  test("an abort gives it up", async () => {
    await past()
    const reason = new Error("enough")
    await expect(engine.retain({ signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
  })
})

test("an engine with one connection is told that it takes two", async () => {
  await using narrow = await open({ database: url, logger: false, poolSize: 1 })
  for (const refused of [narrow.retain(), narrow.maintain()]) {
    await expect(refused).rejects.toBeInstanceOf(InvalidArgument)
    await expect(refused).rejects.toThrow("poolSize is 1")
  }
  expect((await narrow.retain({ dryRun: true })).isDryRun).toBe(true)
})

test("one process at a time applies it", async () => {
  await connected(url, async (client) => {
    await client.query("begin")
    await client.query("select pg_advisory_xact_lock(hashtext('tidemark retention'), hashtext('tidemark'))")
    await expect(engine.retain()).rejects.toBeInstanceOf(RetentionUnderWay)
    expect((await engine.retain({ dryRun: true })).isDryRun).toBe(true)
    await client.query("rollback")
  })
  await engine.retain()
})

test("an engine that is configured so applies it by itself", async () => {
  await past()
  await using sweeping = await open({ database: url, logger: false, retentionSweepMs: 50, metricDays: 39 })
  await until(
    async () => (await query("select from tidemark.events where type = 'TelemetryDropped'")).length > 0
  )
  expect((await sweeping.status()).telemetry.partitions.map(({ name }) => name)).not.toContain("telemetry_0")
})

test("a standby tells what its primary would do, and leaves that to it", async () => {
  await using primary = await privateServer()
  const writer = await open({ database: primary.url, logger: false })
  await tell(writer, 1)
  await writer.close()
  await using standby = await standbyOf(primary)
  await using reader = await open({ database: standby.url, logger: false })
  expect((await reader.retain({ dryRun: true })).categories).toHaveLength(3)
  await expect(reader.retain()).rejects.toBeInstanceOf(ReadOnly)
})

test("no read model goes back to a generation that has not folded what was dropped since", async () => {
  await tell(engine, 1)
  await engine.rebuild("help")
  await past()
  await engine.rebuild("heartbeats")
  await engine.retain()
  await expect(engine.rollback("help")).rejects.toBeInstanceOf(GenerationTooOld)
  await expect(engine.rollback("help")).rejects.toMatchObject({ generation: 1, droppedUpTo: WIDTH - 1 })
  await engine.rollback("heartbeats")
  await engine.rebuild("help")
  await engine.rollback("help")
})
