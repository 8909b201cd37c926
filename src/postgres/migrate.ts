import { Effect, Schema } from "effect"
import { readdirSync, readFileSync } from "node:fs"
import { createHash } from "node:crypto"
import { dirname, join } from "node:path"
import type { PostgresError } from "./error.ts"
import { type Connection, Postgres } from "./postgres.ts"
import { packageFile, withSchema } from "./sql-file.ts"
import { SqlState } from "./sqlstate.ts"

/** The database is of a newer Tidemark than this one. */
export class SchemaFromTheFuture extends Schema.TaggedError<SchemaFromTheFuture>()("SchemaFromTheFuture", {
  schema: Schema.String,
  found: Schema.String,
  known: Schema.String
}) {
  override get message(): string {
    return `Schema "${this.schema}" was migrated to ${this.found} by a newer Tidemark; this one knows ${this.known}. Upgrade this process.`
  }
}

/** A migration that ran here is not the one that this Tidemark holds: released migrations never change. */
export class MigrationChanged extends Schema.TaggedError<MigrationChanged>()("MigrationChanged", {
  schema: Schema.String,
  migration: Schema.String
}) {
  override get message(): string {
    return `Migration ${this.migration} of schema "${this.schema}" differs from the one that ran. Restore the released file; changes belong in a new migration.`
  }
}

/** The server is older than the oldest that Tidemark works on. */
export class ServerTooOld extends Schema.TaggedError<ServerTooOld>()("ServerTooOld", {
  found: Schema.String
}) {
  override get message(): string {
    return `PostgreSQL ${this.found} is too old: Tidemark needs ${OLDEST_SERVER} or newer.`
  }
}

export const MigrationReason = Schema.Union([SchemaFromTheFuture, MigrationChanged, ServerTooOld])
export type MigrationReason = typeof MigrationReason.Type

/** What stopped a migration before it changed anything. */
export class MigrationError extends Schema.TaggedError<MigrationError>()("MigrationError", {
  reason: MigrationReason
}) {
  override get message(): string {
    return this.reason.message
  }
}

export const OLDEST_SERVER = 15

/** Advisory locks of two numbers, so that none can be taken for a log's own lock, which is one number. */
const MIGRATION_LOCK = `select pg_advisory_xact_lock(hashtext('tidemark migration'), hashtext($1))`

interface SqlFile {
  readonly name: string
  readonly sql: string
}

const filesOf = (folder: string): ReadonlyArray<SqlFile> =>
  readdirSync(folder)
    .filter((file) => file.endsWith(".sql"))
    .toSorted()
    .map((file) => ({ name: file.slice(0, -".sql".length), sql: readFileSync(join(folder, file), "utf8") }))

const schemaFolder = (): string => dirname(packageFile("#schema/README.md"))

const hash = (files: ReadonlyArray<SqlFile>): string =>
  createHash("sha256")
    .update(files.map((file) => file.sql).join("\n"))
    .digest("hex")

export interface Migrated {
  /** The migrations that ran now; none where the schema was up to date. */
  readonly applied: ReadonlyArray<string>
}

/** The name under which the functions and guards are noted, which are replaced as a whole. */
const FUNCTIONS = "functions"

interface Plan {
  readonly migrations: ReadonlyArray<SqlFile>
  /** Empty where they are as they should be. */
  readonly functions: ReadonlyArray<SqlFile>
}

/** What is left to do on a schema on which `before` ran, by name and hash. */
const plan = Effect.fnUntraced(function* (
  schema: string,
  before: ReadonlyMap<string, string>
): Effect.fn.Return<Plan, MigrationError> {
  const folder = schemaFolder()
  const migrations = filesOf(join(folder, "migrations"))
  const functions = [...filesOf(join(folder, "functions")), ...filesOf(join(folder, "guards"))]
  const known = new Map(migrations.map((migration) => [migration.name, hash([migration])]))

  for (const [name, ran] of before) {
    if (name === FUNCTIONS) continue
    const ours = known.get(name)
    if (ours === undefined) {
      const newest = migrations.at(-1)!.name
      return yield* new MigrationError({
        reason: new SchemaFromTheFuture({ schema, found: name, known: newest })
      })
    }
    if (ours !== ran) {
      return yield* new MigrationError({ reason: new MigrationChanged({ schema, migration: name }) })
    }
  }
  return {
    migrations: migrations.filter((migration) => !before.has(migration.name)),
    functions: before.get(FUNCTIONS) === hash(functions) ? [] : functions
  }
})

const isDone = ({ migrations, functions }: Plan): boolean => migrations.length + functions.length === 0

/** What ran on the schema; nothing where it is not there yet. */
const ranBefore = (connection: Pick<Connection, "query">, schema: string) =>
  connection
    .query<{ name: string; hash: string }>(withSchema('select name, hash from :"schema".migrations', schema))
    .pipe(
      Effect.map(({ rows }) => new Map(rows.map((row) => [row.name, row.hash]))),
      Effect.catchIf(
        (error) => error.reason._tag === "Rejected" && NOT_THERE.has(error.reason.sqlState ?? ""),
        () => Effect.succeed(new Map<string, string>())
      )
    )

const NOT_THERE: ReadonlySet<string> = new Set([SqlState.undefinedTable, SqlState.invalidSchemaName])

/** Fails with ServerTooOld on a server on which no log can be. */
export const checkServer = Effect.fnUntraced(function* (connection: Pick<Connection, "query">) {
  const { rows } = yield* connection.query<{ number: string; version: string }>(
    "select current_setting('server_version_num') as number, current_setting('server_version') as version"
  )
  const server = rows[0]!
  if (Number(server.number) < OLDEST_SERVER * 10_000) {
    return yield* new MigrationError({ reason: new ServerTooOld({ found: server.version }) })
  }
})

/**
 * How long a migration waits for a lock on a table of a log in use, in ms: whoever comes after it waits as long. Then it
 * fails with LockTimeout and nothing was done, so that it may be tried again.
 */
const MIGRATION_PATIENCE_MS = 3_000

/** Making a schema takes a right that who owns one made for him need not have. */
const SCHEMA_IS_THERE = "select from pg_namespace where nspname = $1"
const MAKE_SCHEMA = 'create schema :"schema"'

/** Functions keep this search path. What is not named in it comes first: PostgreSQL's own, which nothing then takes the place of. */
const BEGIN_MIGRATION = `
  set local client_min_messages = warning;
  set local lock_timeout = ${MIGRATION_PATIENCE_MS};
  set local search_path = :"schema", pg_temp;
  set local check_function_bodies = off;
  create table if not exists migrations (
    name        text primary key,
    hash        text not null,
    applied_at  timestamptz not null default clock_timestamp()
  )`

const NOTE = `
  insert into migrations (name, hash) values ($1, $2)
  on conflict (name) do update set hash = excluded.hash, applied_at = clock_timestamp()`

const apply = Effect.fnUntraced(function* (connection: Connection, schema: string) {
  yield* connection.query(MIGRATION_LOCK, [schema])
  const { count } = yield* connection.query(SCHEMA_IS_THERE, [schema])
  if (count === 0) yield* connection.query(withSchema(MAKE_SCHEMA, schema))
  yield* connection.query(withSchema(BEGIN_MIGRATION, schema))
  const todo = yield* plan(schema, yield* ranBefore(connection, schema))
  if (isDone(todo)) return []

  const done: Array<string> = []
  for (const migration of todo.migrations) {
    yield* connection.query(withSchema(migration.sql, schema))
    yield* connection.query(NOTE, [migration.name, hash([migration])])
    done.push(migration.name)
  }
  if (todo.functions.length > 0) {
    for (const file of todo.functions) yield* connection.query(withSchema(file.sql, schema))
    yield* connection.query(NOTE, [FUNCTIONS, hash(todo.functions)])
    done.push(FUNCTIONS)
  }
  yield* connection.query("select prepare_log()")
  return done
})

/**
 * Brings the schema to what this Tidemark knows: runs the migrations that have not run, in order, and replaces the
 * functions and guards where they changed. One transaction under a lock, so several processes may start at once. Where nothing
 * is left to do, nothing is locked and no right beyond reading is needed.
 * Fails with MigrationError (SchemaFromTheFuture, MigrationChanged, ServerTooOld) or PostgresError: LockTimeout where others
 * held a table for longer than a migration may hold up those who append; nothing was done then, so try again.
 */
export const migrate: Effect.Effect<Migrated, MigrationError | PostgresError, Postgres> = Effect.gen(
  function* () {
    const postgres = yield* Postgres
    const { schema } = postgres
    yield* checkServer(postgres)
    if (isDone(yield* plan(schema, yield* ranBefore(postgres, schema)))) return { applied: [] }
    return { applied: yield* postgres.transaction((connection) => apply(connection, schema)) }
  }
)
