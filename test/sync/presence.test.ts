import pg from "pg"
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from "vitest"
import { migrate } from "../../src/engine/migration.ts"
import type { Engine } from "../../src/index.ts"
import { testLog, upTo } from "../log/test-log.ts"
import { collector, until } from "../support/eventually.ts"
import { startProxy } from "../support/proxy.ts"
import { startWorker } from "../support/process.ts"

// Who watches what, from where: told beside the log, gone with whoever watches, and back where it was lost.

const log = testLog()

let made = 0
const agentOf = () => `attended-${(made += 1)}`
const idle = () => undefined

/** Until so many watches of an agent are seen. */
const seen = (agent: string, count: number, engine: Engine = log.engine) =>
  until(async () => {
    const all = await engine.presence({ agent })
    return all.length === count && all
  })

const watchIn = async (engine: Engine, agent: string, paths: ReadonlyArray<string> = ["/local/n"]) =>
  engine.state(agent).watch(paths, idle)

/** A process that watches an agent under a name. */
const watcher = async (agent: string) => {
  const input = { database: log.db.url, paths: ["/local/n"], agent, name: `by-${agent}` }
  const worker = startWorker<{ readonly ready?: boolean }>("watcher", { input })
  await worker.saysThat(({ ready }) => ready === true)
  return worker
}

/** The engines that tell what they watch, once for each time. */
const tellings = () => {
  const query = vi.spyOn(pg.Client.prototype, "query")
  return () =>
    query.mock.calls
      .map(([asked]) => asked as unknown as pg.QueryConfig)
      .filter(({ name }) => name?.startsWith("tidemark_tell_watches"))
      .map(({ values }) => values?.[0] as string)
}

afterEach(() => {
  vi.restoreAllMocks()
})

describe("who watches", () => {
  test("is seen by all, with what is watched, from where and since when, and is gone when it stops", async () => {
    const agent = agentOf()
    const other = await log.open()
    await log.engine.state(agent).update({ local: { n: 1 } })
    await log.engine.state(agent).branch("side")
    const begun = Date.now()
    const lone = await watchIn(log.engine, agent, ["/local/n", "/shared/**"])
    await seen(agent, 1)
    const named = await other
      .state(agent)
      .on("side")
      .watch(["/local"], idle, { name: `named-${agent}` })
    const [first, second] = await seen(agent, 2, other)
    expect(first).toMatchObject({
      agent,
      branch: "main",
      paths: ["/local/n", "/shared/**"],
      name: undefined,
      application: "tidemark",
      pid: process.pid
    })
    expect(first!.since.getTime()).toBeGreaterThan(begun - 60_000)
    expect(Math.abs(first!.since.getTime() - begun)).toBeLessThan(60_000)
    expect(second).toMatchObject({ branch: "side", paths: ["/local"], name: `named-${agent}` })
    expect(second!.engine).not.toBe(first!.engine)
    expect(await log.engine.presence({ agent, branch: "side" })).toEqual([second])
    expect((await log.engine.presence()).filter((one) => one.agent === agent)).toEqual([first, second])
    await lone.stop()
    expect((await seen(agent, 1))[0]).toEqual(second)
    await named.control!.delete()
    await seen(agent, 0)
  })

  test("is gone when its engine closes, and when its handler has failed", async () => {
    const agent = agentOf()
    const engine = await log.open()
    await watchIn(engine, agent)
    const failing = await log.engine.state(agent).watch(["/local/n"], () => {
      throw new Error("no")
    })
    await seen(agent, 2)
    await engine.close()
    await seen(agent, 1)
    await log.engine.state(agent).update({ local: { n: 1 } })
    await failing.done.catch(idle)
    await seen(agent, 0)
  })

  test("is told of many watches at once", async () => {
    const agent = agentOf()
    const engine = await log.open()
    const told = tellings()
    await Promise.all(upTo(200).map(() => watchIn(engine, agent)))
    const [first] = await seen(agent, 200)
    expect(told().filter((one) => one === first!.engine).length).toBeLessThan(100)
  })
})

describe("who watched and was killed", () => {
  test("is gone at once on this machine", async () => {
    const agent = agentOf()
    await using worker = await watcher(agent)
    expect((await seen(agent, 1))[0]).toMatchObject({ pid: worker.pid, name: `by-${agent}` })
    await worker.kill("SIGKILL")
    expect(await log.engine.presence({ agent })).toEqual([])
  })

  test("is gone when its lease ends, where nobody sees its process", async () => {
    const agent = agentOf()
    await using worker = await watcher(agent)
    await seen(agent, 1)
    await log.db.query("update tidemark.engines set process = null where pid = $1", [worker.pid])
    await worker.kill("SIGKILL")
    expect(await log.engine.presence({ agent })).toHaveLength(1)
    await seen(agent, 0)
  })
})

describe("what is watched", () => {
  test("is told again where the log has lost it, also where others took its engine for gone", async () => {
    const agent = agentOf()
    await watchIn(log.engine, agent)
    const [before] = await seen(agent, 1)
    for (const lost of ["watches", "engines"]) {
      await log.db.query(`delete from tidemark.${lost} where engine = $1`, [before!.engine])
      expect(await log.engine.presence({ agent })).toEqual([])
      const [after] = await until(
        async () => {
          const all = await log.engine.presence({ agent })
          return all.length === 1 && all
        },
        { within: 20_000 }
      )
      expect(Math.abs(after!.since.getTime() - before!.since.getTime())).toBeLessThan(1_000)
    }
  })

  test("is told once where the answer was lost", async () => {
    const agent = agentOf()
    await using proxy = await startProxy(log.db.url)
    const engine = await log.open({ database: proxy.url })
    const lost = proxy.loseReply(/tell_watches|jsonb_to_recordset/, "cut")
    const watch = await watchIn(engine, agent)
    await lost
    await seen(agent, 1)
    const heard = collector<unknown>()
    await engine.state(agent).watch(["/local/n"], heard.push)
    await log.engine.state(agent).update({ local: { n: 1 } })
    await heard.reaches(1)
    await seen(agent, 2)
    await watch.stop()
    await seen(agent, 1)
  })
})

describe("who may only read", () => {
  const reader = `presence_reader_${process.pid}`

  beforeAll(async () => {
    await log.db.query(`create role ${reader}`)
    await migrate({ database: log.db.url, readers: [reader] })
    // Without these nobody reads a state.
    await log.db.query(`grant select on tidemark.agent_secrets to ${reader}`)
  })
  afterAll(async () => {
    await log.db.query(`drop owned by ${reader}`)
    await log.db.query(`drop role ${reader}`)
  })

  test("watches, and sees who watches, and is not seen", async () => {
    const agent = agentOf()
    const { url } = log.db
    const as = `${url}${url.includes("?") ? "&" : "?"}options=${encodeURIComponent(`-c role=${reader}`)}`
    const engine = await log.open({ database: as, readModels: "follow" })
    await log.engine.state(agent).update({ local: { n: 0 } })
    const told = tellings()
    const heard = collector<unknown>()
    await engine.state(agent).watch(["/local/n"], heard.push)
    await watchIn(log.engine, agent)
    await log.engine.state(agent).update({ local: { n: 1 } })
    await heard.reaches(1)
    const [own] = await seen(agent, 1, engine)
    expect(own!.pid).toBe(process.pid)
    await log.engine.state(agent).update({ local: { n: 2 } })
    await heard.reaches(2)
    expect(told().filter((one) => one !== own!.engine)).toEqual([])
  })
})
