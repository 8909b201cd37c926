import { Client } from "pg"
import { afterAll, beforeAll } from "vitest"
import type { Engine, OpenOptions } from "../../src/index.ts"
import { engines } from "../faults/scene.ts"
import { connected } from "../support/admin.ts"
import { type TestDatabase, testDatabase } from "../support/database.ts"
import { until } from "../support/eventually.ts"
import { type Pooler, type PoolerSettings, startPooler } from "../support/pooler.ts"

// What the tests behind a pooler share: a log of the file's own, with PgBouncer in transaction mode before it.

/** Fewer sessions than an engine has connections. */
export const POOL_SIZE = 5

/** Who cannot listen looks twice in a lease what others have changed; no test waits longer for that than it has to. */
const LEASE_MS = 2_000

export interface PooledLog {
  /** Past the pooler, for what a test looks at. */
  readonly db: TestDatabase
  readonly pooler: Pooler
  /** By way of the pooler. */
  readonly url: string
  /** An engine by way of the pooler, closed after the test. */
  readonly open: (options?: OpenOptions) => Promise<Engine>
  /** Ends the server's sessions that the pooler holds, as an administrator would; how many. */
  readonly endSessions: () => Promise<number>
  /** What sessions behind the pooler keep for whoever gets them next. */
  readonly leftovers: () => Promise<ReadonlyArray<string>>
}

export const pooledLog = (settings: PoolerSettings = {}): PooledLog => {
  const db = testDatabase()
  const open = engines()
  const size = Number(settings["default_pool_size"] ?? POOL_SIZE)
  let pooler: Pooler | undefined

  beforeAll(async () => {
    pooler = await startPooler(db.url, { default_pool_size: String(size), ...settings })
  })
  afterAll(() => pooler?.stop())

  const running = (): Pooler => {
    if (pooler === undefined) throw new Error("the pooler is there from beforeAll on")
    return pooler
  }
  const url = () => running().url(db.name)

  return {
    db,
    get pooler() {
      return running()
    },
    get url() {
      return url()
    },
    open: (options = {}) => open({ database: url(), leaseMs: LEASE_MS, ...options }),
    endSessions: async () => {
      const { pids } = await heldSessions(running(), db.name)
      return connected(db.url, async (client) => {
        const ended = await client.query("select pg_terminate_backend(pid) from unnest($1::integer[]) pid", [
          pids
        ])
        return ended.rowCount ?? 0
      })
    },
    leftovers: () => leftovers(running(), db.name, size)
  }
}

/** The server's sessions that a pooler holds for a database. */
const heldSessions = async (pooler: Pooler, database: string) => {
  const servers = await pooler.command("SHOW SERVERS")
  const pids = servers.filter((one) => one["database"] === database).map((one) => Number(one["remote_pid"]))
  return { pids }
}

/** PgBouncer itself brings these over from one client to the next … */
const CARRIED = [
  "application_name",
  "client_encoding",
  "DateStyle",
  "IntervalStyle",
  "TimeZone",
  "standard_conforming_strings",
  // … and each transaction begins with these anew.
  "transaction_deferrable",
  "transaction_isolation",
  "transaction_read_only"
]

/** A trial of LISTEN is made on a channel of its own, that nobody ever notifies. */
const TRIAL = "_[0-9a-f]{16}$"

const LEFT = `
  select 'set ' || name || ' = ' || setting as left from pg_settings where source = 'session' and not name = any ($1)
  union all
  select 'prepared ' || name from pg_prepared_statements
  union all
  select 'cursor ' || name from pg_cursors where name <> ''
  union all
  select 'table ' || relname from pg_class where relpersistence = 't' and relnamespace = pg_my_temp_schema()
  union all
  select 'channel ' || channel from pg_listening_channels() channel where channel !~ $2
  union all
  select 'lock ' || locktype || coalesce(' on ' || relation::regclass, '') from pg_locks
   where pid = pg_backend_pid() and locktype <> 'virtualxid' and mode <> 'AccessShareLock'`

/** Each session of the pool is held by a transaction while the others are asked for, so that all are looked into. */
const leftovers = async (pooler: Pooler, database: string, size: number): Promise<ReadonlyArray<string>> => {
  const clients: Array<Client> = []
  try {
    const found: Array<string> = []
    const pids = new Set<number>()
    for (let nth = 0; nth < size; nth += 1) {
      const client = new Client({ connectionString: pooler.url(database) })
      clients.push(client)
      await client.connect()
      await client.query("begin")
      const { rows } = await client.query<{ left: string }>(LEFT, [CARRIED, TRIAL])
      found.push(...rows.map(({ left }) => left))
      const session = await client.query<{ pid: number }>("select pg_backend_pid() as pid")
      pids.add(session.rows[0]!.pid)
    }
    if (pids.size < size) throw new Error(`only ${pids.size} of ${size} sessions were looked into`)
    return found.toSorted()
  } finally {
    for (const client of clients) await client.end()
  }
}

/** LISTEN was found not to work, and the engine says so. */
export const isDeaf = (engine: Engine) =>
  until(async () => (await engine.status()).wake.reason.includes("did not come back"), {
    what: "the proof of LISTEN to fail"
  })

export const numbered = (numbers: ReadonlyArray<number>) =>
  numbers.map((n) => ({ type: "Numbered", data: { n } }))
