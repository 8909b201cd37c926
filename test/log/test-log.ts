import { Client, type QueryResultRow } from "pg"
import { afterAll, afterEach, beforeAll } from "vitest"
import { type Engine, type Event, open, type OpenOptions, type ReadOptions } from "../../src/index.ts"
import { type TestDatabase, testDatabase } from "../support/database.ts"
import { until } from "../support/eventually.ts"

/** A connection outside every engine, for plain SQL in transactions of its own. */
export type Session = AsyncDisposable & {
  readonly pid: number
  readonly query: <Row extends QueryResultRow = QueryResultRow>(
    sql: string,
    params?: ReadonlyArray<unknown>
  ) => Promise<ReadonlyArray<Row>>
  readonly close: () => Promise<void>
}

export const openSession = async (url: string): Promise<Session> => {
  const client = new Client({ connectionString: url, application_name: "raw-session" })
  client.on("error", () => {})
  await client.connect()
  const query = async <Row extends QueryResultRow>(sql: string, params: ReadonlyArray<unknown> = []) =>
    (await client.query<Row>(sql, params.length === 0 ? undefined : [...params])).rows
  await query("set search_path = tidemark")
  const [row] = await query<{ pid: number }>("select pg_backend_pid() as pid")
  const close = () => client.end()
  return { pid: row!.pid, query, close, [Symbol.asyncDispose]: close }
}

export type TestLog = {
  readonly db: TestDatabase
  /** The one engine that the tests of a file share. */
  readonly engine: Engine
  /** One more engine, closed after the test. */
  readonly open: (options?: OpenOptions) => Promise<Engine>
  /** One more connection, closed after the test, with whatever transaction it then has. */
  readonly session: () => Promise<Session>
  /** The name of a stream that no other test has. */
  readonly stream: (category?: string) => string
}

/** A log of the test file's own. */
export const testLog = (options: OpenOptions = {}): TestLog => {
  const db = testDatabase()
  const opened: Array<{ close: () => Promise<void> }> = []
  let shared: Engine | undefined
  let streams = 0

  const start = (more: OpenOptions = {}) => open({ database: db.url, logger: false, ...options, ...more })
  const kept = async <A extends { close: () => Promise<void> }>(opening: Promise<A>): Promise<A> => {
    const one = await opening
    opened.push(one)
    return one
  }

  beforeAll(async () => {
    shared = await start()
  })
  afterEach(async () => {
    await Promise.all(opened.splice(0).map((one) => one.close()))
  })
  afterAll(async () => {
    await shared?.close()
  })

  return {
    db,
    get engine() {
      if (shared === undefined) throw new Error("the engine is there from beforeAll on")
      return shared
    },
    open: (more) => kept(start(more)),
    session: () => kept(openSession(db.url)),
    stream: (category = "order") => `${category}-${(streams += 1)}`
  }
}

export const eventsOf = async (
  engine: Engine,
  stream: string,
  options?: ReadOptions
): Promise<ReadonlyArray<Event>> => {
  const events: Array<Event> = []
  for await (const event of engine.read(stream, options)) events.push(event)
  return events
}

export const upTo = (count: number): ReadonlyArray<number> => Array.from({ length: count }, (_, at) => at + 1)

/** Some session of this database waits for a transaction to end: at the head of a stream, or at the unique index of ids. */
export const somebodyWaits = (db: TestDatabase): Promise<unknown> =>
  until(
    async () => {
      const waiting = await db.query(
        `select from pg_locks join pg_stat_activity using (pid)
         where locktype = 'transactionid' and not granted and datname = current_database()`
      )
      return waiting.length > 0
    },
    { what: "an append to wait for an open transaction" }
  )

/** How many events there are in a stream, and whether it has a head, as SQL sees it. */
export const traceOf = async (
  db: TestDatabase,
  stream: string
): Promise<{ events: number; heads: number }> => {
  const [row] = await db.query<{ events: number; heads: number }>(
    `select (select count(*)::integer from tidemark.log_events where stream = $1) as events,
            (select count(*)::integer from tidemark.streams where stream = $1) as heads`,
    [stream]
  )
  return row!
}
