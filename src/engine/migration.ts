import { Effect } from "effect"
import { migrate as migrateSchema } from "../postgres/migrate.ts"
import { Postgres } from "../postgres/postgres.ts"
import { configure, type OpenOptions } from "./configuration.ts"
import { plainError } from "./plain-error.ts"

export interface Migration {
  /** What ran now, in order; nothing where the schema was up to date. */
  readonly applied: ReadonlyArray<string>
  readonly schema: string
  /** Where the database is, without secrets. */
  readonly where: string
}

/** A migration is one transaction. */
const MIGRATION_CONNECTIONS = 1

/**
 * Brings the schema up to date without opening a log: `open` does the same, this is for those who migrate apart. Several
 * processes may do it at once. Rejects with SchemaFromTheFuture, MigrationChanged, ServerTooOld, and as `open` does.
 */
export const migrate = async (
  options: Pick<OpenOptions, "database" | "schema" | "embedded"> = {}
): Promise<Migration> => {
  const migration = Effect.gen(function* () {
    const { schema, connection, where } = yield* configure(options, process.env)
    const postgres = Postgres.layer({ schema, connection, poolSize: MIGRATION_CONNECTIONS })
    const { applied } = yield* Effect.provide(migrateSchema, postgres)
    return { applied, schema, where }
  })
  try {
    return await Effect.runPromise(Effect.scoped(migration))
  } catch (thrown) {
    throw plainError(thrown)
  }
}
