import { randomUUID } from "node:crypto"
import { Client } from "pg"
import { beforeAll, beforeEach, describe, expect, test } from "vitest"
import type { Engine } from "../../../src/index.ts"
import { collector, inTime } from "../../support/eventually.ts"
import { eventsOf, testLog } from "../test-log.ts"

// Two logs of one database, each in a schema of its own, have nothing in common: the notifier, the lock and the names belong to the log.

const OTHER = "other_log"
const log = testLog()
let other: Engine

beforeAll(async () => {
  await (await log.open({ schema: OTHER })).close()
})
beforeEach(async () => {
  other = await log.open({ schema: OTHER })
})

describe("two logs in one database", () => {
  test("have each their own stream of a name, with its own versions", async () => {
    const stream = log.stream()
    await log.engine.emit(stream, [{ type: "A1" }, { type: "A2" }], { expected: "none" })
    expect(await eventsOf(other, stream)).toEqual([])
    await other.emit(stream, { type: "B1" }, { expected: "none" })
    await log.engine.emit(stream, { type: "A3" }, { expected: 2 })
    await other.emit(stream, { type: "B2" }, { expected: 1 })
    expect((await eventsOf(log.engine, stream)).map(({ type }) => type)).toEqual(["A1", "A2", "A3"])
    expect((await eventsOf(other, stream)).map(({ type }) => type)).toEqual(["B1", "B2"])
  })

  test("hold each an event of the same id", async () => {
    const [stream, id] = [log.stream(), randomUUID()]
    await log.engine.emit(stream, { type: "A", id })
    await other.emit(stream, { type: "B", id })
    expect((await eventsOf(log.engine, stream)).map(({ type }) => type)).toEqual(["A"])
    expect((await eventsOf(other, stream)).map(({ type }) => type)).toEqual(["B"])
  })

  test("are heard each by their own subscribers only", async () => {
    const stream = log.stream()
    const heard = { mine: collector<string>(), others: collector<string>() }
    const mine = await log.engine.subscribe({ streams: [stream] }, ({ type }) => heard.mine.push(type))
    const others = await other.subscribe({ streams: [stream] }, ({ type }) => heard.others.push(type))
    for (const n of [1, 2, 3]) {
      await log.engine.emit(stream, { type: `A${n}` })
      await other.emit(stream, { type: `B${n}` })
    }
    expect(await heard.mine.reaches(3)).toEqual(["A1", "A2", "A3"])
    expect(await heard.others.reaches(3)).toEqual(["B1", "B2", "B3"])
    await Promise.all([mine.stop(), others.stop()])
    expect([heard.mine.items.length, heard.others.items.length]).toEqual([3, 3])
  })

  test("wake their readers each on a channel of its own", async () => {
    const channelOf = async (schema: string) => {
      const rows = await log.db.query<{ name: string }>(`select ${schema}.wake_channel() as name`)
      return rows[0]!.name
    }
    const [mine, others] = [await channelOf("tidemark"), await channelOf(OTHER)]
    expect(mine).not.toBe(others)
    const listener = new Client({ connectionString: log.db.url, application_name: "listener" })
    await listener.connect()
    const woken = collector<string>()
    // An engine also tells itself of itself there; positions are what a reader is woken by.
    listener.on("notification", ({ channel, payload }) => {
      if (/^\d+$/.test(payload ?? "")) woken.push(channel)
    })
    await listener.query(`listen ${mine}; listen ${others}`)
    await log.db.query("select tidemark.wake()")
    expect(await woken.reaches(1)).toEqual([mine])
    await log.db.query(`select ${OTHER}.wake()`)
    expect(await woken.first((channel) => channel === others)).toBe(others)
    expect(woken.items.indexOf(others)).toBe(woken.items.length - 1)
    await listener.end()
  })

  test("wait for each other's appends in nothing", async () => {
    const stream = log.stream()
    const slow = await log.session()
    await slow.query("begin")
    await slow.query(`select append_events($1, '[{"type": "Slow"}]')`, [stream])
    const heard = collector<string>()
    const subscription = await other.subscribe({ streams: [stream] }, ({ type }) => heard.push(type))
    const { position } = await inTime(other.emit(stream, { type: "Fast" }), { within: 5_000 })
    expect(await heard.reaches(1, { within: 5_000 })).toEqual(["Fast"])
    const [row] = await log.db.query<{ at: string }>(`select ${OTHER}.settle('10 ms') as at`)
    expect(Number(row!.at)).toBe(position)
    await slow.query("rollback")
    await subscription.stop()
  })
})
