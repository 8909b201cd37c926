import { createHash } from "node:crypto"
import { readFileSync } from "node:fs"
import { createRequire } from "node:module"
import { quoted } from "./identifier.ts"

const require = createRequire(import.meta.url)

/** The path of a file of this package by its name in package.json's imports, the same from src/ and from dist/. */
export const packageFile = (name: `#${string}`): string => require.resolve(name)

/** PostgreSQL cuts longer names of prepared statements. */
const MAX_NAME_BYTES = 63

/** Hexadecimal digits of a hash that tell statements apart. */
const HASH_LENGTH = 32

/** SQL files name their schema as psql would be told it: `psql -v schema=tidemark -f file.sql`. */
const SCHEMA_VARIABLE = ':"schema"'

export const withSchema = (sql: string, schema: string): string =>
  sql.replaceAll(SCHEMA_VARIABLE, quoted(schema))

/** A statement that is prepared once per connection, under a name. */
export interface Statement {
  readonly name: string
  readonly text: string
}

const statements = new Map<string, Statement>()

/** A statement named by what it says, for SQL that is not one of schema/queries. */
export const statementOf = (text: string): Statement => ({
  name: `tidemark_${createHash("sha256").update(text).digest("hex").slice(0, HASH_LENGTH)}`,
  text
})

/** The query of schema/queries with this name, for one schema. */
export const statement = (name: string, schema: string): Statement => {
  const key = `${name} ${schema}`
  let known = statements.get(key)
  if (known === undefined) {
    const text = readFileSync(packageFile(`#schema/queries/${name}.sql`), "utf8")
    known = { name: `tidemark_${name}_${schema}`.slice(0, MAX_NAME_BYTES), text: withSchema(text, schema) }
    statements.set(key, known)
  }
  return known
}
