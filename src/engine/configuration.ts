import { Effect, Schema, type Scope } from "effect"
import type { ClientConfig } from "pg"
import type { Logger as Pino } from "pino"
import type { ConfiguredRule } from "./alerting/configured-rules.ts"
import type { InvalidConfiguration } from "./settings/error.ts"
import { type ConfigFile, fromSources } from "./settings/sources.ts"
import type { EventType } from "../log/event-type.ts"
import { connection, describe } from "../postgres/connection.ts"
import type { ConnectionError } from "../postgres/connection-error.ts"
import type { ConnectionSettings, Environment } from "../postgres/connection-settings.ts"
import type { EmbeddedError } from "../postgres/embedded/embedded-error.ts"
import { type EmbeddedOptions, embeddedServer } from "../postgres/embedded/server.ts"
import { type Identifier, identifier, type InvalidIdentifier } from "../postgres/identifier.ts"

/**
 * How `open` finds its log, and how the engine behaves. Everything may be left out: what is not said here is taken from the environment, and what
 * is not said there from a file.
 */
export interface OpenOptions {
  /**
   * The file that settings are taken from: `tidemark.config.ts` (or `.js`), or YAML. Default: TIDEMARK_CONFIG, else the one that is in the working
   * directory, if one is; false for none.
   */
  readonly config?: ConfigFile
  /**
   * A connection string or settings of a PostgreSQL from 15 on. Goes before everything else. Default: an embedded server
   * where `embedded` asks for one, else what the environment names (DATABASE_URL, or POSTGRES_HOST and the like), else what the file does, else an
   * embedded server.
   */
  readonly database?: string | ConnectionSettings
  /** The schema that holds the log; one log, one schema. Default: `tidemark`. */
  readonly schema?: string
  /**
   * An object asks for an embedded server, with these settings, and goes before the environment; `{}` for one with the
   * defaults. False never starts one.
   */
  readonly embedded?: EmbeddedOptions | false
  /** Default: warnings and errors as JSON lines on standard error. `false` for none. */
  readonly logger?: Pino | false
  /** Types of event that are checked at emit and brought up to date when read. */
  readonly events?: ReadonlyArray<EventType>
  /** Where LISTEN and NOTIFY go, where the database itself is reached through a pooler. Default: the database. */
  readonly wake?: string | ConnectionSettings
  /** How many connections the engine opens at most, beside one that listens and one that notifies. Default: 10. */
  readonly poolSize?: number
  /** How many of these stay open where nobody needs them. Default: 0. */
  readonly poolMinimum?: number
  /**
   * Whether statements are prepared once per connection, which a pooler in transaction mode does not bear (PgBouncer bears it
   * from 1.21 on, with max_prepared_statements). Default: where each connection shows that no pooler is in between.
   */
  readonly preparedStatements?: boolean
  /** How long an emit is tried over lost connections, in ms. Default: 30 000. */
  readonly emitDeadlineMs?: number
  /**
   * How long a statement may go without an answer before its connection is given up, in ms. Default: 10 000 for an append,
   * which is then sent again, and 30 000 for everything else.
   */
  readonly answerTimeoutMs?: number
  /** How large an event's data may be as JSON, in bytes. Default: 1 MiB. */
  readonly maxEventBytes?: number
  /**
   * `keep`: this process keeps the read models up with the log, with the others that do. `follow`: it leaves that to them and
   * only reads; so does a role that may not make tables. Default: `keep`.
   */
  readonly readModels?: "keep" | "follow"
  /**
   * How long the other engines wait for one that they do not hear of before they take over what it owns, in ms. Default: 4 000.
   */
  readonly leaseMs?: number
  /** How long a query waits for its projection to have read this engine's own writes, in ms. Default: 1 000. */
  readonly readOwnWritesMs?: number
  /** How long an entry of the cache counts, in ms, unless `cache.set` says. Default: 3 600 000. */
  readonly cacheTtlMs?: number
  /** How often this engine takes out of the cache what is over, in ms; it counts no more before. Default: 300 000. */
  readonly cacheSweepMs?: number
  /** How often this engine records of sessions whose time is over that it is, in ms; they are over before. Default: 3 600 000. */
  readonly sessionSweepMs?: number
  /** How long a session lasts after its last sign of life, in ms, unless `sessions.create` says. Default: 86 400 000, a day. */
  readonly sessionTtlMs?: number
  /** How often an agent promises to beat, in ms, unless `agents.register` says. Default: it promises nothing, and is expected each 60 000 ms once it beats. */
  readonly heartbeatIntervalMs?: number
  /** How often this engine looks for agents that are late, in ms, where it is the one that watches; 0 never. Default: 1 000. */
  readonly healthCheckMs?: number
  /** For how many days heartbeats are kept, once retention is applied; 0 for ever. Default: 30. */
  readonly heartbeatDays?: number
  /** For how many days measurements are kept, and their sums by the minute; 0 for ever. Default: 30. Their sums by the hour are kept for ever. */
  readonly metricDays?: number
  /** For how many days system events below WARNING are kept; 0 for ever. Default: 30. */
  readonly systemLogDays?: number
  /** For how many days telemetry of all other categories is kept; 0 for ever. Default: 0. */
  readonly telemetryDays?: number
  /** The directory that telemetry is archived in before it is dropped. Default: none. */
  readonly archiveDirectory?: string
  /** How often this engine applies retention, in ms. Default: never; `engine.retain` and `tidemark retention` do. */
  readonly retentionSweepMs?: number
  /** How often `tidemark start` measures the machine that it runs on, in ms. Default: 1 000. */
  readonly measureMs?: number
  /** Rules of alerts that this engine sets when it is opened, where they are not there or are others: as `alerts.setRule` takes them. Default: none. */
  readonly alertRules?: ReadonlyArray<ConfiguredRule>
  /** How often this engine judges the rules of alerts, in ms, where it is the one that does. Default: 5 000. */
  readonly alertCheckMs?: number
  /** Where alerts are delivered when they are raised and cleared: an http or https URL, kept out of events and logs. Default: nowhere. */
  readonly alertWebhookUrl?: string
  /** What these deliveries are signed with, as Standard Webhooks has it: `whsec_` and 24 to 64 random bytes in base64. */
  readonly alertWebhookSecret?: string
  /** How often an event is tried again for a durable subscription before it is given up, unless its `retry.attempts` says. Default: 4. */
  readonly maxRetries?: number
}

export const DEFAULT_SCHEMA = "tidemark"

/** What the options come to. */
export interface Configuration {
  readonly schema: Identifier
  readonly connection: ClientConfig
  readonly wake: ClientConfig
  /** Where the database is, without secrets. */
  readonly where: string
}

/** Neither is a database named, nor may an embedded one be started. */
export class NoDatabase extends Schema.TaggedError<NoDatabase>()("NoDatabase", {}) {
  override get message(): string {
    return "No database is named, and embedded is false. Give one as database, set DATABASE_URL, or let the embedded server start."
  }
}

export type Wanted =
  | { readonly database: string | ConnectionSettings }
  | { readonly embedded: EmbeddedOptions }

/** What the options come to, with what the environment and a file say. Fails with InvalidConfiguration. */
export const completed = (
  options: OpenOptions,
  environment: Environment
): Effect.Effect<OpenOptions, InvalidConfiguration> =>
  fromSources({ ...options }, environment, process.cwd()) as Effect.Effect<OpenOptions, InvalidConfiguration>

/** Which database is meant: the named one, else the embedded one that is asked for. */
export const wanted = ({
  database,
  embedded
}: Pick<OpenOptions, "database" | "embedded">): Effect.Effect<Wanted, NoDatabase> => {
  if (database !== undefined) return Effect.succeed({ database })
  if (typeof embedded === "object") return Effect.succeed({ embedded })
  return embedded === false ? Effect.fail(new NoDatabase()) : Effect.succeed({ embedded: {} })
}

/** Finds the database of completed options; starts or joins the embedded server where no database is named. */
export const configure = Effect.fnUntraced(function* (
  options: OpenOptions,
  environment: Environment
): Effect.fn.Return<
  Configuration,
  ConnectionError | EmbeddedError | InvalidIdentifier | NoDatabase,
  Scope.Scope
> {
  const schema = yield* identifier("schema", options.schema ?? DEFAULT_SCHEMA)
  const found = yield* wanted(options)
  const database = "database" in found ? found.database : (yield* embeddedServer(found.embedded)).url
  const resolved = yield* connection(database, environment)
  const wake = options.wake === undefined ? resolved : yield* connection(options.wake, environment)
  return { schema, connection: resolved, wake, where: describe(resolved) }
})
