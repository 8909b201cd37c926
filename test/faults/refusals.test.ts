import { afterAll, beforeAll, describe, expect, test } from "vitest"
import { Client } from "pg"
import { Busy, type OpenOptions, ReadOnly, Unavailable } from "../../src/index.ts"
import { connected } from "../support/admin.ts"
import type { Cluster } from "../support/cluster.ts"
import { until } from "../support/eventually.ts"
import { History } from "../support/history.ts"
import { privateServer } from "../support/server.ts"
import { terminateOne } from "./backends.ts"
import { openSession } from "./session.ts"
import { engines, hearing, meant, named, readToEnd, startReader, toEmit, wholeLog } from "./scene.ts"

/** Few enough to be taken by a test, enough for two engines. */
const mostConnections = 20

let server: Cluster
beforeAll(async () => {
  server = await privateServer({
    max_connections: String(mostConnections),
    superuser_reserved_connections: "0",
    max_wal_senders: "0",
    autovacuum_max_workers: "1"
  })
})
afterAll(() => server.remove())
const open = engines()

const admin = (sql: string) => connected(server.url, (client) => client.query(sql))

/** Waits for a line in the server's log, later than the last of another kind. */
const logged = (line: RegExp, after?: RegExp) => {
  const last = (wanted: RegExp) => server.log.findLastIndex((one) => wanted.test(one))
  return until(() => last(line) > (after === undefined ? -1 : last(after)), { what: String(line) })
}

/** Takes every connection that the server still has to give; returns how to give them back. */
const takeAll = async (): Promise<() => Promise<void>> => {
  const taken: Array<Client> = []
  for (;;) {
    const client = new Client({ connectionString: server.url })
    client.on("error", () => {})
    try {
      await client.connect()
      taken.push(client)
    } catch {
      return async () => {
        await Promise.all(taken.map((one) => one.end()))
      }
    }
  }
}

let logs = 0
/** A log of the test's own, so that all of it can be judged. */
const ownLog = async (
  name: string,
  more: OpenOptions = {},
  parameters: Readonly<Record<string, string>> = {}
) => {
  const schema = `log_${(logs += 1)}`
  const history = new History()
  const options = { database: named(server.url, name, parameters), schema, ...more }
  const engine = await open(options)
  return {
    engine,
    history,
    schema,
    emits: async (stream: string) => {
      const events = meant(stream)
      history.sent(events)
      history.acknowledged((await engine.emit(stream, toEmit(events))).events)
    },
    /** What is wrong with what was seen of it. */
    violations: async () => history.violations(await wholeLog(server.url, schema))
  }
}

describe("a server that refuses more connections", () => {
  test("is waited for at open, and opens when there is room", async () => {
    const giveBack = await takeAll()
    const refused = () => server.log.filter((line) => line.includes("too many clients already")).length
    const before = refused()
    const opening = open({ database: server.url })
    await until(() => refused() > before)
    await giveBack()
    const engine = await opening
    expect((await engine.emit("opened-1", toEmit(meant("opened-1")))).version).toBe(1)
  })

  test("fails open with Busy where it lasts", async () => {
    const giveBack = await takeAll()
    await expect(open({ database: server.url })).rejects.toBeInstanceOf(Busy)
    await giveBack()
  })

  test("costs an open engine nothing that it emitted, and LISTEN comes back", async () => {
    const { engine, history, emits, violations } = await ownLog("crowded")
    await hearing(engine)
    const reader = await startReader(engine, history)
    await emits("crowd-0")
    await terminateOne(server.url, "crowded", "listener", (pids) => pids[0]!)
    const giveBack = await takeAll()
    await Promise.all(Array.from({ length: 50 }, (_, at) => emits(`crowd-${at % 5}`)))
    await giveBack()
    await readToEnd(engine, history, reader)
    await hearing(engine)
    expect(await violations()).toEqual([])
  })
})

describe("a server that only reads", () => {
  const readOnly = (on: boolean) =>
    connected(server.url, async (client) => {
      await client.query("set default_transaction_read_only = off")
      await client.query(`alter system set default_transaction_read_only = ${on ? "on" : "off"}`)
      await client.query("select pg_reload_conf()")
    })

  test("has emits fail at their deadline as not done, or wait until it writes again", async () => {
    const hasty = await ownLog("hasty", { emitDeadlineMs: 400 })
    const patient = await ownLog("patient")
    await readOnly(true)
    await until(async () => {
      const events = meant("readonly-1")
      hasty.history.sent(events)
      const thrown: unknown = await hasty.engine.emit("readonly-1", toEmit(events)).then(
        ({ events: places }) => hasty.history.acknowledged(places),
        (error: unknown) => error
      )
      if (thrown === undefined) return false
      hasty.history.refused(events[0]!.id)
      return thrown instanceof Unavailable && thrown.message.includes("Connect to the primary")
    })
    const waiting = patient.emits("readonly-1")
    await expect(open({ database: server.url, schema: "never" })).rejects.toBeInstanceOf(ReadOnly)
    await readOnly(false)
    await waiting
    expect(await hasty.violations()).toEqual([])
    expect(await patient.violations()).toEqual([])
  })

  test("in recovery, keeps an open engine waiting until it is promoted; nothing is lost or doubled", async () => {
    const { engine, history, emits, violations } = await ownLog("promoted")
    const reader = await startReader(engine, history)
    await emits("recovery-1")
    await server.stop("fast")
    await server.place("standby.signal", "")
    await server.start()
    const waiting = [emits("recovery-1"), emits("recovery-2")]
    await logged(/ready to accept read-only connections/)
    await until(async () => (await engine.status()).standby)
    expect((await engine.status()).emit.underWay).toBeGreaterThan(0)
    await admin("select pg_promote()")
    await Promise.all(waiting)
    await readToEnd(engine, history, reader)
    expect(await violations()).toEqual([])
  })
})

describe("a server that has no room or no time", () => {
  test("a full disk is waited out: the emit is made when there is room again", async () => {
    const { emits, violations, schema } = await ownLog("full")
    await admin(`
      create function ${schema}.no_room() returns trigger language plpgsql as $$
      begin
        raise exception 'could not extend file "base/1/1": No space left on device' using errcode = 'disk_full';
      end $$;
      create trigger no_room before insert on ${schema}.events for each statement execute function ${schema}.no_room()`)
    const waiting = emits("room-1")
    await logged(/No space left on device/)
    await admin(`drop trigger no_room on ${schema}.events`)
    await waiting
    expect(await violations()).toEqual([])
  })

  test("a statement that is cancelled at its time-out is made again, and stands in the log once", async () => {
    const options = "-c statement_timeout=200ms"
    const { emits, violations, schema } = await ownLog("impatient", {}, { options })
    await emits("slow-1")
    const other = await openSession(server.url)
    await other.query("begin")
    await other.query(`select from ${schema}.streams where stream = 'slow-1' for update`)
    const waiting = emits("slow-1")
    await logged(/canceling statement due to statement timeout/)
    await other.query("rollback")
    await other.close()
    await waiting
    expect(await violations()).toEqual([])
  })
})
