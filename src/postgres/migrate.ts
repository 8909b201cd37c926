import { Effect, Schema } from "effect"
import { readdirSync, readFileSync } from "node:fs"
import { createHash } from "node:crypto"
import { dirname, join } from "node:path"
import type { PostgresError } from "./error.ts"
import { type Connection, Postgres } from "./postgres.ts"
import { packageFile, withSchema } from "./sql-file.ts"

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

/** What stopped a migration before it changed anything. */
export class MigrationError extends Schema.TaggedError<MigrationError>()("MigrationError", {
  reason: Schema.Union([SchemaFromTheFuture, MigrationChanged, ServerTooOld])
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

const prepare = Effect.fnUntraced(function* (connection: Connection, schema: string) {
  const { rows } = yield* connection.query<{ server_version_num: string; server_version: string }>(
    "select current_setting('server_version_num') as server_version_num, current_setting('server_version') as server_version"
  )
  const server = rows[0]!
  if (Number(server.server_version_num) < OLDEST_SERVER * 10_000) {
    return yield* new MigrationError({ reason: new ServerTooOld({ found: server.server_version }) })
  }
  yield* connection.query(MIGRATION_LOCK, [schema])
  yield* connection.query(
    withSchema(
      `set local client_min_messages = warning;
       create schema if not exists :"schema";
       set local search_path = :"schema", pg_catalog, pg_temp;
       set local check_function_bodies = off;
       create table if not exists migrations (
         name        text primary key,
         hash        text not null,
         applied_at  timestamptz not null default clock_timestamp()
       )`,
      schema
    )
  )
})

const applied = Effect.fnUntraced(function* (connection: Connection) {
  const { rows } = yield* connection.query<{ name: string; hash: string }>(
    "select name, hash from migrations order by name"
  )
  return new Map(rows.map((row) => [row.name, row.hash]))
})

const FUNCTIONS = "functions"

const apply = Effect.fnUntraced(function* (connection: Connection, schema: string) {
  const folder = schemaFolder()
  const migrations = filesOf(join(folder, "migrations"))
  const functions = [...filesOf(join(folder, "functions")), ...filesOf(join(folder, "guards"))]
  const known = new Set([FUNCTIONS, ...migrations.map((migration) => migration.name)])
  const before = yield* applied(connection)

  const future = [...before.keys()].find((name) => !known.has(name))
  if (future !== undefined) {
    const newest = migrations.at(-1)?.name ?? "nothing"
    return yield* new MigrationError({
      reason: new SchemaFromTheFuture({ schema, found: future, known: newest })
    })
  }

  const done: Array<string> = []
  const note = (name: string, content: string): Effect.Effect<unknown, PostgresError> =>
    connection.query(
      "insert into migrations (name, hash) values ($1, $2) on conflict (name) do update set hash = excluded.hash, applied_at = clock_timestamp()",
      [name, content]
    )

  for (const migration of migrations) {
    const ran = before.get(migration.name)
    if (ran === undefined) {
      yield* connection.query(withSchema(migration.sql, schema))
      yield* note(migration.name, hash([migration]))
      done.push(migration.name)
    } else if (ran !== hash([migration])) {
      return yield* new MigrationError({
        reason: new MigrationChanged({ schema, migration: migration.name })
      })
    }
  }
  if (before.get(FUNCTIONS) !== hash(functions)) {
    for (const file of functions) yield* connection.query(withSchema(file.sql, schema))
    yield* note(FUNCTIONS, hash(functions))
    done.push(FUNCTIONS)
  }
  if (done.length > 0) yield* connection.query("select prepare_log()")
  return done
})

/**
 * Brings the schema to what this Tidemark knows: runs the migrations that have not run, in order, and replaces the
 * functions and guards where they changed. One transaction under a lock, so several processes may start at once.
 * Fails with MigrationError (SchemaFromTheFuture, MigrationChanged, ServerTooOld) or PostgresError.
 */
export const migrate: Effect.Effect<Migrated, MigrationError | PostgresError, Postgres> = Effect.gen(
  function* () {
    const postgres = yield* Postgres
    const done = yield* postgres.transaction(
      Effect.fnUntraced(function* (connection) {
        yield* prepare(connection, postgres.schema)
        return yield* apply(connection, postgres.schema)
      })
    )
    return { applied: done }
  }
)
