import { setTimeout as pause } from "node:timers/promises"
import { afterAll, beforeAll, describe, expect, test } from "vitest"
import { migrate } from "../../src/engine/migration.ts"
import { type Engine, VersionConflict } from "../../src/index.ts"
import { startLoad } from "../faults/load.ts"
import {
  engines,
  hearing,
  meant,
  newEvent,
  readToEnd,
  startReader,
  toEmit,
  wholeLog
} from "../faults/scene.ts"
import { testDatabase } from "../support/database.ts"
import { collector, until } from "../support/eventually.ts"
import { History } from "../support/history.ts"
import { type Pooler, startPooler } from "../support/pooler.ts"
import { random, seedFor } from "../support/random.ts"

// All that an engine does, through PgBouncer in transaction mode with fewer sessions than there are connections.

const POOL_SIZE = 5
const EMITTERS = 50
/** NOTIFYs come no closer together than 5 ms. */
const LONGER_THAN_A_GAP_MS = 10
/** Without a NOTIFY, a reader that believes to be woken looks after 5 s. */
const AT_ONCE_MS = 2_000
/** A lease lasts 4 s, and nobody is told at once who cannot listen. */
const TAKEOVER_MS = 8_000

const db = testDatabase()
const open = engines()
let pooler: Pooler

beforeAll(async () => {
  pooler = await startPooler(db.url, { default_pool_size: String(POOL_SIZE) })
})
afterAll(() => pooler?.stop())

const through = (schema?: string): Promise<Engine> =>
  open({ database: pooler.url(db.name), ...(schema === undefined ? {} : { schema }) })

/** How many sessions there are behind the pooler, and what is prepared in them. */
const sessions = async () => {
  const asked = Array.from({ length: 4 * POOL_SIZE }, () =>
    open({ database: pooler.url(db.name), poolSize: 1 })
  )
  const found = await Promise.all(
    (await Promise.all(asked)).map((engine) =>
      engine.transaction(async (tx) => {
        const { rows } = await tx.query<{ pid: number; name: string | null }>(
          `select pg_backend_pid() as pid, prepared.name
           from (values (1)) one left join pg_prepared_statements prepared on true, pg_sleep(0.05)`
        )
        return rows
      })
    )
  )
  const rows = found.flat()
  return {
    count: new Set(rows.map(({ pid }) => pid)).size,
    prepared: rows.flatMap(({ name }) => (name === null ? [] : [name]))
  }
}

describe("behind PgBouncer in transaction mode", () => {
  test("an engine says that it is, and that LISTEN has fallen back to polling, and why", async () => {
    const engine = await through()
    const { wake, pooled } = await until(
      async () => {
        const status = await engine.status()
        return status.wake.reason.includes("did not come back") && status
      },
      { what: "the proof of LISTEN to fail" }
    )
    expect(pooled).toBe(true)
    expect(wake.mode).toBe("polling")
    expect(wake.reason).toContain("pooler")
    expect(wake.reason).toContain("as wake")
  })

  test("no session is left that hears every NOTIFY for whoever gets it next, which PgBouncer would log each time", async () => {
    const engine = await through()
    await until(async () => (await engine.status()).wake.reason.includes("did not come back"))
    const unasked = () => pooler.log.filter((line) => line.includes("got packet 'A'")).length
    const before = unasked()
    for (let n = 0; n < 20; n += 1) {
      await engine.emit("order-quiet", toEmit(meant("order-quiet")))
      await pause(LONGER_THAN_A_GAP_MS)
    }
    expect(unasked()).toBe(before)
  })

  test("LISTEN through a pooler in session mode is found to work", async () => {
    await using whole = await startPooler(db.url, { pool_mode: "session", default_pool_size: "50" })
    const at = { database: whole.url(db.name), schema: "sessions" }
    const [reads, writes] = [await open(at), await open(at)]
    await hearing(reads)
    expect(await reads.status()).toMatchObject({ pooled: true })
    const heard = collector<number>()
    await reads.subscribe({ from: "now" }, ({ position }) => heard.push(position))
    for (let n = 0; n < 5; n += 1) {
      const { position } = await writes.emit("order-1", { type: "Made" })
      await heard.first((one) => one === position, { within: AT_ONCE_MS, what: "the wake-up of an emit" })
    }
    await Promise.all([reads.close(), writes.close()])
  })

  test("an engine whose wake goes to the server itself is woken as ever", async () => {
    const engine = await open({ database: pooler.url(db.name), wake: db.url })
    await hearing(engine)
    expect(await engine.status()).toMatchObject({ pooled: true, wake: { mode: "listening" } })
    const direct = await open({ database: db.url })
    expect(await direct.status()).toMatchObject({ pooled: false })
  })

  test("many engines open a new log at once, and migrate it once", async () => {
    const all = await Promise.all(Array.from({ length: 8 }, () => through("opened_at_once")))
    const placed = await Promise.all(all.map((engine, n) => engine.emit("order-1", newEvent(ids[n]!, "x"))))
    expect(placed.map(({ version }) => version).toSorted((a, b) => a - b)).toEqual([1, 2, 3, 4, 5, 6, 7, 8])
    expect(await migrate({ database: pooler.url(db.name), schema: "opened_at_once" })).toMatchObject({
      applied: []
    })
  })

  test(`${EMITTERS} emitters in several engines over ${POOL_SIZE} sessions: every subscription gets all, once and in order`, async () => {
    const seed = seedFor("pooled emitters")
    const history = new History()
    const [one, two, three] = await Promise.all([through(), through(), through()])
    const readers = await Promise.all(
      [one, two, three].map((engine, n) => startReader(engine!, history, `reader ${n}`))
    )
    const per = Math.ceil(EMITTERS / 2)
    await using load = startLoad(one!, history, { random: random(seed), callers: per, streams: 20 })
    await using other = startLoad(two!, history, { random: random(seed + 1), callers: per, streams: 20 })
    await Promise.all([load.reaches(1_500, 30_000), other.reaches(1_500, 30_000)])
    await Promise.all([load.stop(), other.stop()])
    await readToEnd(three!, history, ...readers)
    expect(history.unanswered).toBe(0)
    expect(history.violations(await wholeLog(db.url))).toEqual([])
  })

  test("nothing is prepared in a session that the next client may get", async () => {
    const { count, prepared } = await sessions()
    expect(count).toBeGreaterThan(1)
    expect(count).toBeLessThanOrEqual(POOL_SIZE)
    expect(prepared).toEqual([])
  })

  test("transactions commit with what they wrote, and those that fail leave nothing, beside each other", async () => {
    await db.query("create table paid (n integer primary key)")
    const [one, two] = await Promise.all([through("transactions"), through("transactions")])
    const run = (engine: Engine, n: number) =>
      engine.transaction(async (tx) => {
        await tx.query("insert into paid values ($1)", [n])
        tx.emit(`order-${n % 3}`, { type: "Paid", data: { n } })
        if (n % 4 === 0) throw new Error("on second thoughts")
        if (n % 4 === 1) await tx.query("select 1 / 0")
      })
    const ended = await Promise.allSettled(
      Array.from({ length: 40 }, (_, n) => run(n % 2 === 0 ? one! : two!, n))
    )
    const kept = ended.flatMap(({ status }, n) => (status === "fulfilled" ? [n] : []))
    expect(kept).toEqual(Array.from({ length: 40 }, (_, n) => n).filter((n) => n % 4 > 1))
    const rows = await db.query<{ n: number }>("select n from paid order by n")
    expect(rows.map(({ n }) => n)).toEqual(kept)
    const emitted = await db.query<{ n: number }>(
      "select (data ->> 'n')::integer as n from transactions.log_events order by 1"
    )
    expect(emitted.map(({ n }) => n)).toEqual(kept)
  })

  test("queries of read models see what their engine wrote, and by a token what another did", async () => {
    const [one, two] = await Promise.all([through("models"), through("models")])
    for (let n = 0; n < 20; n += 1) {
      const agent = `agent-${n}`
      const { token } = await one!.agents.register({ agent })
      expect(await one!.agents.get({ agent })).toMatchObject({ agent, state: "running" })
      await one!.heartbeats.record({ agent })
      expect(await two!.agents.get({ agent }, { after: token })).toMatchObject({ agent })
    }
    expect(await one!.agents.list()).toHaveLength(20)
    expect((await one!.status()).projections.every(({ error }) => error === undefined)).toBe(true)
  })

  test("read models are taken over when the engine that kept them closes", async () => {
    const keeper = await through("fleet")
    await keeper.agents.register({ agent: "first" })
    expect(await keeper.agents.get({ agent: "first" })).toMatchObject({ agent: "first" })
    const next = await through("fleet")
    await keeper.close()
    const { token } = await next.agents.register({ agent: "second" })
    const found = await until(() => next.agents.get({ agent: "second" }, { after: token }), {
      within: TAKEOVER_MS,
      what: "the read models to go on"
    })
    expect(found).toMatchObject({ agent: "second" })
  })

  test("expected versions and streams read backwards are what they are elsewhere", async () => {
    const engine = await through("reads")
    await engine.emit("order-1", [{ type: "Made" }, { type: "Paid" }])
    await expect(engine.emit("order-1", { type: "Made" }, { expected: "none" })).rejects.toBeInstanceOf(
      VersionConflict
    )
    const types: Array<string> = []
    for await (const { type } of engine.read("order-1", { backwards: true })) types.push(type)
    expect(types).toEqual(["Paid", "Made"])
    expect(await engine.settled()).toBe(2)
  })
})

const ids = meant("order-1", 8).map(({ id }) => id)

describe("a pooler that turns a connection away", () => {
  test("for a startup parameter is told apart from a server that is gone, with what to do", async () => {
    const refused = open({
      database: { ...settingsOf(pooler.url(db.name)), options: "-c statement_timeout=5s" }
    })
    const error = await refused.catch((thrown) => thrown)
    expect(error).toMatchObject({ _tag: "Unreachable" })
    expect(error.message).toContain("unsupported startup parameter")
    expect(error.message).toContain("ignore_startup_parameters")
  })

  test("because it has no room is waited for, as a server without room is", async () => {
    await using narrow = await startPooler(db.url, { max_client_conn: "2" })
    const first = await open({ database: narrow.url(db.name), wake: db.url, poolSize: 2 })
    const held = Promise.all([1, 2].map(() => first.transaction((tx) => tx.query("select pg_sleep(0.5)"))))
    // Once it is in, it wants no connection that may be refused again.
    const second = open({ database: narrow.url(db.name), wake: db.url, poolSize: 1 })
    await held
    await first.close()
    expect(await (await second).settled()).toBeGreaterThanOrEqual(0)
    await (await second).close()
  })
})

const settingsOf = (url: string) => {
  const { hostname, port, pathname, username } = new URL(url)
  return { host: hostname, port, database: pathname.slice(1), user: username }
}
