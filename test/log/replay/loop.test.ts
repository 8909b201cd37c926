import { Schema } from "effect"
import { beforeAll, describe, expect, test } from "vitest"
import { eventType, type ReplayOptions, UpcastFailed } from "../../../src/index.ts"
import { deferred, until } from "../../support/eventually.ts"
import { testLog, upTo } from "../test-log.ts"
import { replayed as replayedOf } from "./replayed.ts"

const log = testLog()

const replayed = (options?: ReplayOptions) => replayedOf(log.engine, options)

const typesOf = async (options: ReplayOptions) => (await replayed(options)).map(({ type }) => type)

describe("old events", () => {
  const renamed = eventType("Renamed", Schema.Struct({ name: Schema.String }), {
    schemaVersion: 2,
    upcasts: {
      1: (data) => {
        const { title } = data as { title?: string }
        if (title === undefined) throw new Error("it has no title")
        return { name: title }
      }
    }
  })

  test("are brought up to date; what cannot be ends the replay at that event, behind those before it", async () => {
    const engine = await log.open({ events: [renamed] })
    const stream = log.stream("old")
    for (const data of [{ title: "a" }, { title: "b" }, {}, { title: "d" }])
      await log.engine.emit(stream, { type: "Renamed", data, schemaVersion: 1 })
    const seen: Array<unknown> = []
    const looping = (async () => {
      for await (const { data, schemaVersion } of engine.replay({ streams: [stream] }))
        seen.push([data, schemaVersion])
    })()
    await expect(looping).rejects.toBeInstanceOf(UpcastFailed)
    expect(seen).toEqual([
      [{ name: "a" }, 2],
      [{ name: "b" }, 2]
    ])
  })
})

describe("a loop over a replay", () => {
  const stream = "long-1"
  const size = 5_000
  beforeAll(async () => {
    for (let sent = 0; sent < size; sent += 500)
      await log.engine.emit(
        stream,
        upTo(500).map(() => ({ type: "Part" }))
      )
  })

  const named = (application: string): string => {
    const url = new URL(log.db.url)
    url.searchParams.set("application_name", application)
    return url.href
  }

  /** What this engine's connections are at. */
  const busy = async (application: string) =>
    (
      await log.db.query<{ n: number }>(
        `select count(*)::integer as n from pg_stat_activity where application_name = $1 and state <> 'idle'`,
        [application]
      )
    )[0]!.n

  test("reads page after page, without a hole", async () => {
    for (const options of [{ streams: [stream] }, { streams: [stream], since: "2020-01-01" }])
      expect((await replayed(options)).map(({ version }) => version)).toEqual(upTo(size))
  })

  test("may be left early, and then nothing is under way any more, and another may begin", async () => {
    const engine = await log.open({ database: named("early"), poolSize: 2 })
    for (const _ of upTo(20)) {
      let seen = 0
      for await (const event of engine.replay({ categories: ["long"] })) {
        seen += 1
        expect(event.version).toBe(seen)
        if (seen === 3) break
      }
    }
    await until(async () => (await busy("early")) === 0)
    expect(await replayedOf(engine, { streams: [stream] })).toHaveLength(size)
  })

  test("may be left by an error", async () => {
    const leaving = async () => {
      for await (const _ of log.engine.replay()) throw new Error("enough")
    }
    await expect(leaving()).rejects.toThrow("enough")
  })

  test("is cut short with Unavailable when the engine closes, also while a page is on its way", async () => {
    const engine = await log.open()
    const closed = deferred()
    let seen = 0
    const loop = (async () => {
      for await (const _ of engine.replay({ streams: [stream] })) {
        seen += 1
        if (seen > 1) continue
        void engine.close().then(closed.resolve)
        await closed.promise
      }
    })()
    await expect(loop).rejects.toMatchObject({ _tag: "Unavailable" })
    expect(seen).toBeLessThan(size)
  })

  test("goes on where its connections are lost on the way", async () => {
    const name = "lost"
    const engine = await log.open({ database: named(name) })
    const versions: Array<number> = []
    for await (const { version } of engine.replay({ streams: [stream] })) {
      versions.push(version)
      if (version % 1_000 === 1)
        await log.db.query(
          `select pg_terminate_backend(pid) from pg_stat_activity where application_name = $1`,
          [name]
        )
    }
    expect(versions).toEqual(upTo(size))
  })
})

describe("an append that is still open", () => {
  test("keeps a replay from what lies behind it, and `to` says so", async () => {
    const session = await log.session()
    const stream = log.stream("held")
    await log.engine.emit(stream, { type: "Before" })
    await session.query("begin")
    await session.query(`select from append_events($1, '[{"type": "Open"}]')`, [log.stream("held")])
    const behind = await log.engine.emit(stream, { type: "Behind" })
    expect(await typesOf({ streams: [stream] })).toEqual(["Before"])
    const asked = typesOf({ streams: [stream], to: behind.token })
    await expect(asked).rejects.toMatchObject({ _tag: "Unavailable" })
    await expect(asked).rejects.toThrow("was not settled in 5000 ms")
    await session.query("rollback")
    expect(await typesOf({ streams: [stream], to: behind.token })).toEqual(["Before", "Behind"])
  })

  test("is waited for where `to` lies behind it", async () => {
    const session = await log.session()
    const stream = log.stream("held")
    await session.query("begin")
    await session.query(`select from append_events($1, '[{"type": "Open"}]')`, [stream])
    const behind = await log.engine.emit(log.stream("held"), { type: "Behind" })
    const asked = typesOf({ streams: [stream], to: behind.position })
    await session.query("commit")
    expect(await asked).toEqual(["Open"])
  })

  test("that came to nothing leaves a gap that a replay ends in", async () => {
    const session = await log.session()
    await session.query("begin")
    const [row] = await session.query<{ position: string }>(
      `select position from append_events($1, '[{"type": "Undone"}]')`,
      [log.stream("held")]
    )
    await session.query("rollback")
    expect(await typesOf({ types: ["Undone"], to: Number(row!.position) })).toEqual([])
  })
})
