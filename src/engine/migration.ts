import { Effect } from "effect"
import { grant } from "../postgres/grant.ts"
import { migrate as migrateSchema } from "../postgres/migrate.ts"
import { Postgres } from "../postgres/postgres.ts"
import { completed, configure, type OpenOptions } from "./configuration.ts"
import { plainError } from "./plain-error.ts"

export interface Migration {
  /** What ran now, in order; nothing where the schema was up to date. */
  readonly applied: ReadonlyArray<string>
  readonly schema: string
  /** Where the database is, without secrets. */
  readonly where: string
}

export interface MigrationOptions extends Pick<OpenOptions, "config" | "database" | "schema" | "embedded"> {
  /** Roles that may append to the log. */
  readonly writers?: ReadonlyArray<string>
  /** Roles that may read the log and its read models. */
  readonly readers?: ReadonlyArray<string>
}

/** A migration is one transaction. */
const MIGRATION_CONNECTIONS = 1

/**
 * Brings the schema up to date without opening a log, and grants roles their rights: for those who migrate apart, as the
 * schema's owner. Several processes may do it at once. Rejects with SchemaFromTheFuture, MigrationChanged, ServerTooOld, and as `open` does.
 */
export const migrate = async (options: MigrationOptions = {}): Promise<Migration> => {
  const { writers = [], readers = [], ...place } = options
  const migration = Effect.gen(function* () {
    const { schema, connection, where } = yield* configure(yield* completed(place, process.env), process.env)
    const postgres = Postgres.layer({ schema, connection, poolSize: MIGRATION_CONNECTIONS })
    const migrating = Effect.gen(function* () {
      const { applied } = yield* migrateSchema
      // Readers first: what is kept from them, a role that is a writer as well has to have.
      for (const role of readers) yield* grant("reader", role)
      for (const role of writers) yield* grant("writer", role)
      return applied
    })
    return { applied: yield* Effect.provide(migrating, postgres), schema, where }
  })
  try {
    return await Effect.runPromise(Effect.scoped(migration))
  } catch (thrown) {
    throw plainError(thrown)
  }
}
