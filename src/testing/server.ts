import { mkdtempSync, realpathSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import path from "node:path"
import { Effect, Exit, Scope } from "effect"
import { uuid } from "../base/uuid.ts"
import { configure, type OpenOptions } from "../engine/configuration.ts"
import type { Engine } from "../engine/engine.ts"
import { open } from "../engine/open.ts"
import { plainError } from "../engine/plain-error.ts"
import type { ConnectionSettings } from "../postgres/connection-settings.ts"
import { embeddedServer } from "../postgres/embedded/server.ts"
import { quoted } from "../postgres/identifier.ts"
import { Postgres } from "../postgres/postgres.ts"
import { guard } from "./guard.ts"

/** Where logs for tests are made. */
export interface TestPostgresOptions {
  /** A PostgreSQL that is there, of which the role may make schemas. Default: one is started, and goes with its data in the end, or with this process. */
  readonly database?: string | ConnectionSettings
}

export type TestLogOptions = Omit<OpenOptions, "database" | "embedded" | "schema">

/** A PostgreSQL for tests. */
export interface TestPostgres extends AsyncDisposable {
  readonly database: string | ConnectionSettings
  /** An engine on a log of its own, which is empty; its log lines are left out, by default. */
  readonly open: (options?: TestLogOptions) => Promise<Engine>
  /** Another engine on the log that an engine of `open` has. */
  readonly join: (engine: Engine, options?: TestLogOptions) => Promise<Engine>
  /** Closes all engines, and lets go of all logs. */
  readonly stop: () => Promise<void>
}

/** Nobody needs these data after a crash. */
const CARELESS = { fsync: "off", synchronous_commit: "off", full_page_writes: "off" }

interface Server {
  readonly database: string | ConnectionSettings
  readonly stop: () => Promise<void>
}

const dataIn = (directory: string): string => path.join(directory, "data")

/** Starts a server whose data go with it, and both with this process, whichever way that ends. */
const throwaway = async (): Promise<Server> => {
  const wanted = mkdtempSync(path.join(realpathSync(tmpdir()), "tidemark-test-"))
  const guards = [guard({ directories: [wanted], data: dataIn(wanted) })]
  const callOff = () => Promise.all(guards.map((off) => off()))
  const scope = await Effect.runPromise(Scope.make())
  const starting = embeddedServer({ directory: wanted, settings: CARELESS })
  try {
    const { url, directory } = await Effect.runPromise(Scope.provide(starting, scope))
    // As root they may not be where they were wanted.
    if (directory !== wanted) guards.push(guard({ directories: [directory], data: dataIn(directory) }))
    const stop = async (): Promise<void> => {
      await Effect.runPromise(Scope.close(scope, Exit.void))
      for (const one of new Set([wanted, directory])) rmSync(one, { recursive: true, force: true })
      await callOff()
    }
    return { database: url, stop }
  } catch (thrown) {
    rmSync(wanted, { recursive: true, force: true })
    await callOff()
    throw plainError(thrown)
  }
}

const dropSchemas = (database: string | ConnectionSettings, schemas: Iterable<string>): Promise<void> =>
  Effect.gen(function* () {
    const { schema, connection } = yield* configure({ database }, {})
    const dropping = Effect.flatMap(Postgres, (postgres) =>
      Effect.forEach(schemas, (one) => postgres.query(`drop schema if exists ${quoted(one)} cascade`), {
        discard: true
      })
    )
    yield* Effect.provide(dropping, Postgres.layer({ schema, connection, poolSize: 1 }))
  }).pipe(Effect.scoped, Effect.runPromise)

class Logs implements TestPostgres {
  readonly database: string | ConnectionSettings
  private readonly server: Server
  private readonly isOurs: boolean
  private readonly schemas = new Map<Engine, string>()
  private stopping: Promise<void> | undefined

  constructor(server: Server, isOurs: boolean) {
    this.database = server.database
    this.server = server
    this.isOurs = isOurs
  }

  readonly open = (options: TestLogOptions = {}): Promise<Engine> =>
    this.openOn(`test_${uuid().replaceAll("-", "")}`, options)

  readonly join = (engine: Engine, options: TestLogOptions = {}): Promise<Engine> =>
    this.openOn(this.schemas.get(engine)!, options)

  private async openOn(schema: string, options: TestLogOptions): Promise<Engine> {
    const engine = await open({ logger: false, ...options, database: this.database, schema })
    this.schemas.set(engine, schema)
    return engine
  }

  readonly stop = (): Promise<void> => (this.stopping ??= this.end())

  private async end(): Promise<void> {
    await Promise.all([...this.schemas.keys()].map((engine) => engine.close()))
    if (!this.isOurs) await dropSchemas(this.database, new Set(this.schemas.values()))
    await this.server.stop()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop()
  }
}

/**
 * A PostgreSQL for tests: real, started within a second or two, in a directory of its own below that for temporary files, and gone
 * with its data at `stop`, or when the process ends without it. One per file of tests is cheap, and every `open` in it has a log of its own. Rejects as `open` does.
 */
export const testPostgres = async ({ database }: TestPostgresOptions = {}): Promise<TestPostgres> =>
  database === undefined
    ? new Logs(await throwaway(), true)
    : new Logs({ database, stop: () => Promise.resolve() }, false)
