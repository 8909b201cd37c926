import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest"
import { startLoad } from "../faults/load.ts"
import { engines, meant, readToEnd, startReader, toEmit, wholeLog } from "../faults/scene.ts"
import { connected } from "../support/admin.ts"
import type { Cluster } from "../support/cluster.ts"
import { until } from "../support/eventually.ts"
import { History } from "../support/history.ts"
import { type Pooler, startPooler } from "../support/pooler.ts"
import { random, seedFor } from "../support/random.ts"
import { privateServer, standbyOf } from "../support/server.ts"

// What goes wrong behind PgBouncer, with it, and without its clients' knowledge.

const DATABASE = "postgres"
const CALLERS = 12

let server: Cluster
let pooler: Pooler
const open = engines()

beforeAll(async () => {
  server = await privateServer()
  pooler = await startPooler(server.url)
})
afterAll(async () => {
  await pooler?.stop()
  await server?.remove()
})

/** Two engines, of which one writes under load and the other reads, both through the pooler, on a log of their own. */
const underLoad = async (schema: string, seed: number) => {
  const history = new History()
  const at = { database: pooler.url(DATABASE), schema }
  const [writer, reading] = [await open(at), await open(at)]
  const reader = await startReader(reading, history)
  const load = startLoad(writer, history, { random: random(seed), callers: CALLERS, streams: 12 })
  await load.reaches(50)
  const judge = async () => {
    await load.reaches(load.acknowledged + 50, 20_000)
    await load.stop()
    await readToEnd(writer, history, reader)
    expect(history.violations(await wholeLog(server.url, schema))).toEqual([])
  }
  return { writer, reading, load, judge, [Symbol.asyncDispose]: () => load[Symbol.asyncDispose]() }
}

/** The server's sessions that the pooler holds, ended all at once. */
const endSessions = (): Promise<number> =>
  connected(server.url, async (client) => {
    const { rowCount } = await client.query(
      `select pg_terminate_backend(pid) from pg_stat_activity
       where backend_type = 'client backend' and pid <> pg_backend_pid()`
    )
    return rowCount ?? 0
  })

describe("through PgBouncer, with emits under way and somebody who reads,", () => {
  test("sessions that an administrator ends behind it cost no event, and double none", async () => {
    await using scene = await underLoad("ended", seedFor("pooled, sessions ended"))
    for (let round = 0; round < 6; round += 1) {
      expect(await endSessions()).toBeGreaterThan(0)
      await scene.load.reaches(scene.load.acknowledged + 30)
    }
    await scene.judge()
  })

  test("its restart is survived: clients connect anew, and all goes on", async () => {
    await using scene = await underLoad("restarted", seedFor("pooled, restarted"))
    for (let round = 0; round < 3; round += 1) {
      await pooler.restart()
      await scene.load.reaches(scene.load.acknowledged + 30)
    }
    await scene.judge()
    expect(await scene.writer.status()).toMatchObject({ pooled: true })
  })

  test("PAUSE holds everybody up, and RESUME lets all go on without an error", async () => {
    await using scene = await underLoad("paused", seedFor("pooled, paused"))
    await pooler.command("PAUSE")
    const held = scene.load.acknowledged
    const emitted = scene.reading.emit("order-held", toEmit(meant("order-held")))
    expect(
      await Promise.race([
        emitted.then(() => "through"),
        scene.reading.status().then(() => "through"),
        pausedFor(300)
      ])
    ).toBe("held")
    await pooler.command("RESUME")
    expect((await emitted).version).toBe(1)
    await scene.load.reaches(held + 50)
    expect(scene.load.unknown).toBe(0)
    await scene.load.stop()
  })
})

const pausedFor = (ms: number): Promise<string> =>
  new Promise((resolve) => setTimeout(() => resolve("held"), ms))

describe("a pooler that leads to another server without a word", () => {
  let standby: Cluster | undefined
  afterEach(() => standby?.remove())

  test("does not hide that another one took over: what is emitted from then on is of a new epoch", async () => {
    const at = { database: pooler.url(DATABASE), schema: "moved" }
    const [writer, reading] = [await open(at), await open(at)]
    const history = new History()
    const reader = await startReader(reading, history)
    standby = await standbyOf(server)
    const before = await emitted(writer, history)
    const { epoch } = await writer.status()
    await until(
      () =>
        connected(standby!.url, async (client) => {
          const { rows } = await client.query("select from moved.events where position = $1", [before])
          return rows.length === 1
        }),
      { what: "the standby to replay what was emitted" }
    )

    await pooler.command("PAUSE")
    await connected(standby.url, (client) => client.query("select pg_promote()"))
    await pooler.lead(standby.url)
    await pooler.command("RELOAD")
    await pooler.command("RESUME")

    await emitted(writer, history)
    await readToEnd(writer, history, reader)
    expect((await writer.status()).epoch).toBe(epoch + 1)
    expect(history.violations(await wholeLog(standby.url, "moved"))).toEqual([])
  })
})

const emitted = async (engine: Awaited<ReturnType<typeof open>>, history: History): Promise<number> => {
  const events = meant("order-1", 3)
  history.sent(events)
  const { events: places, position } = await engine.emit("order-1", toEmit(events))
  history.acknowledged(places)
  return position
}
