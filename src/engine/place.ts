import { Effect, Exit, Scope } from "effect"
import { connection, describe } from "../postgres/connection.ts"
import type { ConnectionSettings, Environment } from "../postgres/connection-settings.ts"
import { embeddedServer, type EmbeddedServer } from "../postgres/embedded/server.ts"
import { completed, type OpenOptions, wanted } from "./configuration.ts"
import { plainError } from "./plain-error.ts"

/** Where a log is, found before it is opened, and held until it is left. */
export interface Place extends AsyncDisposable {
  /** For `open` and `migrate`. It may hold a password, so it belongs in no log. */
  readonly database: string | ConnectionSettings
  /** `host:port/database as user`, for messages. */
  readonly where: string
  /** The embedded server; undefined where a database was named. */
  readonly embedded:
    | {
        /** Where the data really live. */
        readonly directory: string
        /** Whether another process had started it. */
        readonly joined: boolean
        /** PostgreSQL's major version. */
        readonly version: number
      }
    | undefined
  /** How often `tidemark start` is to measure the machine, in ms, where settings say. */
  readonly measureMs: number | undefined
  /** Leaves it; an embedded server stops with its last user. */
  leave(): Promise<void>
}

/** Without the url, which holds the password. */
const shown = ({ directory, joined, version }: EmbeddedServer): Place["embedded"] => ({
  directory,
  joined,
  version
})

/** Settles the scope's end once, however often it is asked for. */
const leaving = (scope: Scope.Closeable): (() => Promise<void>) => {
  let left: Promise<void> | undefined
  return () => (left ??= Effect.runPromise(Scope.close(scope, Exit.void)))
}

export interface PlaceOptions extends Pick<OpenOptions, "config" | "database" | "embedded"> {
  /** Hears what the embedded server has to say, wherever it comes to be used, without asking for one. */
  readonly onNotice?: (message: string) => void
}

/**
 * Finds the database as `open` does: the one that `database` names, else the embedded one that `embedded` asks for, else
 * what the environment or a file names, else an embedded one. Rejects with BadConnectionString, TlsFileUnreadable, NoDatabase, or with what can go
 * wrong with an embedded server.
 */
export const findPlace = async (
  { onNotice, ...options }: PlaceOptions = {},
  environment: Environment = process.env
): Promise<Place> => {
  const scope = Scope.makeUnsafe()
  const leave = leaving(scope)
  const notice = onNotice === undefined ? {} : { onNotice }
  const find = Effect.gen(function* () {
    const complete = yield* completed(options, environment)
    const found = yield* wanted(complete)
    const server = "embedded" in found ? yield* embeddedServer({ ...notice, ...found.embedded }) : undefined
    const database = "database" in found ? found.database : server!.url
    const where = describe(yield* connection(database, environment))
    return { server, database, where, measureMs: complete.measureMs }
  })
  try {
    const { server, ...found } = await Effect.runPromise(Scope.provide(find, scope))
    return { ...found, embedded: server && shown(server), leave, [Symbol.asyncDispose]: leave }
  } catch (thrown) {
    await leave()
    throw plainError(thrown)
  }
}
