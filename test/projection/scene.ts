import { Context, Effect, Layer, Logger, ManagedRuntime, Schema } from "effect"
import { Pool, type PoolClient, type QueryResultRow } from "pg"
import { afterEach, beforeEach } from "vitest"
import { logLayer } from "../../src/engine/layers.ts"
import { EventLog } from "../../src/log/event-log.ts"
import { type EventType, eventType } from "../../src/log/event-type.ts"
import { Appender } from "../../src/log/appender.ts"
import { Feed } from "../../src/log/feed.ts"
import { Fleet } from "../../src/fleet/fleet.ts"
import { Postgres } from "../../src/postgres/postgres.ts"
import { entities, type ProjectionDefinition, rows } from "../../src/projection/definition.ts"
import { ProjectionError } from "../../src/projection/error.ts"
import type { Bound, Operations } from "../../src/projection/operation.ts"
import { Projections, type ProjectionsConfig } from "../../src/projection/projections.ts"
import { Rebuilds } from "../../src/projection/rebuild/rebuilds.ts"
import type { RebuildOptions, RebuildReport } from "../../src/projection/rebuild/rebuild.ts"
import type { RollbackReport } from "../../src/projection/rebuild/rollback.ts"
import { connected, harnessName } from "../support/admin.ts"
import { testDatabase } from "../support/database.ts"
import { until } from "../support/eventually.ts"

export type Services = EventLog | Postgres | Appender | Feed | Fleet | Projections | Rebuilds

/** A log with its projections, as one process would have it. */
export interface Process {
  readonly run: <A, E>(effect: Effect.Effect<A, E, Services>) => Promise<A>
  readonly log: EventLog["Service"]
  readonly projections: Projections["Service"]
  readonly project: <Ops extends Operations>(definition: ProjectionDefinition<Ops>) => Promise<Bound<Ops>>
  readonly emit: (
    stream: string,
    ...events: ReadonlyArray<{ readonly type: string; readonly data?: unknown }>
  ) => Promise<number>
  /** Resolves when the projection has folded everything up to a position. */
  readonly reaches: (name: string, position: number) => Promise<void>
  readonly rebuild: (definition: ProjectionDefinition, options?: RebuildOptions) => Promise<RebuildReport>
  readonly rollback: (name: string) => Promise<RollbackReport>
  readonly status: (name: string) => ReturnType<Projections["Service"]["status"]>[number]
  readonly close: () => Promise<void>
}

export interface ProcessOptions extends ProjectionsConfig {
  readonly name?: string
  readonly url?: string
}

/** The database of one test. */
export interface SceneDatabase {
  readonly url: string
  readonly name: string
  readonly query: <Row extends QueryResultRow = QueryResultRow>(
    sql: string,
    params?: ReadonlyArray<unknown>
  ) => Promise<ReadonlyArray<Row>>
  /** A connection of the test's own, closed after it with whatever transaction it then has. */
  readonly session: () => Promise<PoolClient>
  /** Ends the connections that bear a name, and waits until they are gone. */
  readonly terminate: (applicationName: string) => Promise<number>
  /** The URL of a database with another log. */
  readonly another: () => Promise<string>
}

export interface Scene {
  readonly db: SceneDatabase
  /** One more process on the log, closed after the test. */
  readonly start: (options?: ProcessOptions) => Promise<Process>
}

const quiet = Logger.layer([])

const startOn = async (
  url: string,
  { name = "tidemark-process", ...config }: ProcessOptions
): Promise<Process> => {
  const database = new URL(url)
  database.searchParams.set("application_name", name)
  const runtime = ManagedRuntime.make(
    Layer.merge(Projections.layer(config), Rebuilds.layer).pipe(
      Layer.provideMerge(logLayer({ database: database.href }, {})),
      Layer.provideMerge(quiet)
    )
  )
  const context = await runtime.context()
  const log = Context.get(context, EventLog)
  const projections = Context.get(context, Projections)
  return {
    run: (effect) => runtime.runPromise(effect),
    log,
    projections,
    project: (definition) => runtime.runPromise(projections.project(definition)),
    emit: async (stream, ...events) => (await runtime.runPromise(log.emit(stream, events))).position,
    reaches: (projection, position) =>
      runtime.runPromise(Effect.timeout(projections.reached(projection, position), "20 seconds")),
    rebuild: (definition, options) =>
      runtime.runPromise(Context.get(context, Rebuilds).rebuild(definition, options)),
    rollback: (projection) => runtime.runPromise(Context.get(context, Rebuilds).rollback(projection)),
    status: (projection) => projections.status().find((one) => one.name === projection)!,
    close: () => runtime.dispose()
  }
}

/** A log for each test of the file, and processes on it. */
export const scene = (): Scene => {
  const file = testDatabase()
  const started: Array<Process> = []
  const sessions: Array<PoolClient> = []
  let url = ""
  let pool: Pool | undefined

  beforeEach(async () => {
    url = await file.fresh()
    pool = new Pool({ connectionString: url, application_name: harnessName, max: 5 })
    pool.on("error", () => {})
  })
  afterEach(async () => {
    for (const session of sessions.splice(0)) session.release(true)
    await Promise.all(started.splice(0).map((one) => one.close()))
    await pool?.end()
  })

  const query: SceneDatabase["query"] = async (sql, params = []) => (await pool!.query(sql, [...params])).rows
  return {
    db: {
      get url() {
        return url
      },
      get name() {
        return new URL(url).pathname.slice(1)
      },
      query,
      session: async () => {
        const client = await pool!.connect()
        sessions.push(client)
        return client
      },
      terminate: file.terminate,
      another: async () => {
        const other = await file.fresh()
        await connected(other, (client) => client.query("update tidemark.log set log_id = gen_random_uuid()"))
        return other
      }
    },
    start: async (options = {}) => {
      const one = await startOn(options.url ?? url, options)
      started.push(one)
      return one
    }
  }
}

/** The reason that a projection's error bears. */
export const reasonOf = async (failing: Promise<unknown>) => {
  try {
    await failing
  } catch (thrown) {
    if (thrown instanceof ProjectionError) return thrown.reason
    throw thrown
  }
  throw new Error("it did not fail")
}

let made = 0

/** A name that no other projection of the file has. */
const fresh = (name: string): string => `${name}_${(made += 1)}`

export const Counted = eventType("Counted", Schema.Struct({ by: Schema.Unknown }))
export const Removed = eventType("Removed", Schema.Struct({}))

type CounterRow = { readonly id: string; readonly total: number; readonly events: number }

const addTo = (row: CounterRow | undefined, id: string, by: number): CounterRow => ({
  id,
  total: (row?.total ?? 0) + by,
  events: (row?.events ?? 0) + 1
})

export interface CounterOptions {
  readonly name?: string
  readonly version?: number
  readonly events?: ReadonlyArray<EventType>
  /** What an event counts. */
  readonly count?: (by: unknown) => number
}

/** Counts, one row per stream: the shape for entities. */
export const counters = ({
  name = fresh("counters"),
  version = 1,
  events = [Counted, Removed],
  count = Number
}: CounterOptions = {}): ProjectionDefinition => ({
  name,
  version,
  events,
  tables: {
    text: `create table :"${name}" (id text primary key, total integer not null, events integer not null)`
  },
  relations: [name],
  model: entities<CounterRow>({
    table: name,
    key: "id",
    keyOf: (event) => event.stream,
    fold: (row, event) => {
      if (Removed.is(event)) return undefined
      if (!Counted.is(event)) return row
      return addTo(row, event.stream, count(event.data.by))
    }
  }),
  operations: {}
})

export interface EntryOptions {
  readonly name?: string
  readonly version?: number
  readonly fold?: string
}

/** Keeps every count, one row per event: the shape for rows. */
export const entries = ({
  name = fresh("entries"),
  version = 1,
  fold
}: EntryOptions = {}): ProjectionDefinition => ({
  name,
  version,
  events: [Counted],
  tables: {
    text: `create table :"${name}" (position bigint primary key, stream text not null, by integer not null)`
  },
  relations: [name],
  model: rows({
    text:
      fold ??
      `insert into :"${name}" (position, stream, by)
       select event.position, event.stream, (event.data ->> 'by')::integer from :batch event`
  }),
  operations: {}
})

export const stops = (process: Process, name: string) => until(() => process.status(name).state === "stopped")
