import { Effect } from "effect"
import { readFileSync } from "node:fs"
import type { PostgresError } from "./error.ts"
import { quoted } from "./identifier.ts"
import { Postgres } from "./postgres.ts"
import { packageFile, withSchema } from "./sql-file.ts"

/** What a role may do with a log: append to it, or read it and its read models. */
export type Right = "writer" | "reader"

/** The files in schema/roles name the role as psql would be told it: `psql -v role=app`. */
const ROLE_VARIABLE = ':"role"'

/** Lets a role that exists write, or read, the log. Needs the rights of the log's owner; granting twice does no harm. */
export const grant = (right: Right, role: string): Effect.Effect<void, PostgresError, Postgres> =>
  Effect.gen(function* () {
    const postgres = yield* Postgres
    const sql = withSchema(readFileSync(packageFile(`#schema/roles/${right}.sql`), "utf8"), postgres.schema)
    yield* postgres.transaction((connection) =>
      connection.query(sql.replaceAll(ROLE_VARIABLE, () => quoted(role)))
    )
  })
