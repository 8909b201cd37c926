import { Effect } from "effect"
import { checkServer } from "../postgres/migrate.ts"
import { Postgres } from "../postgres/postgres.ts"
import { statement } from "../postgres/sql-file.ts"
import { completed, configure, type OpenOptions } from "./configuration.ts"
import { plainError } from "./plain-error.ts"

/** What a server says of itself, before a log is opened on it. */
export interface Probe {
  /** As PostgreSQL tells it: `18.4 (Debian …)`. */
  readonly version: string
  readonly role: string
  /** Whether the schema is there already. */
  readonly isThere: boolean
  /** Whether the role may make the schema, or write into it. */
  readonly mayWrite: boolean
}

const PROBE_CONNECTIONS = 1

/** Asks a server what `open` would find there; nothing is changed. Rejects with ServerTooOld, and as `open` does where it cannot be reached. */
export const probe = async (
  options: Pick<OpenOptions, "config" | "database" | "schema" | "embedded">
): Promise<Probe> => {
  const probing = Effect.gen(function* () {
    const { schema, connection } = yield* configure(yield* completed(options, process.env), process.env)
    const asked = Effect.gen(function* () {
      const postgres = yield* Postgres
      yield* checkServer(postgres)
      const { rows } = yield* postgres.query<Probe>(statement("probe_server", schema).text, [schema])
      return rows[0]!
    })
    const postgres = Postgres.layer({ schema, connection, poolSize: PROBE_CONNECTIONS })
    return yield* Effect.provide(asked, postgres)
  })
  try {
    return await Effect.runPromise(Effect.scoped(probing))
  } catch (thrown) {
    throw plainError(thrown)
  }
}
