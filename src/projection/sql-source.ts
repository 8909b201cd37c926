import { readFileSync } from "node:fs"
import { quoted } from "../postgres/identifier.ts"
import { packageFile, withSchema } from "../postgres/sql-file.ts"

/** Where SQL is: a file of this package by its name in package.json's imports, a file of any package, or the text itself. */
export type SqlSource = `#${string}` | URL | { readonly text: string }

export const readSql = (source: SqlSource): string => {
  if (source instanceof URL) return readFileSync(source, "utf8")
  return typeof source === "string" ? readFileSync(packageFile(source), "utf8") : source.text
}

/** The name of a projection's table in one of its generations. */
export const physicalName = (relation: string, generation: number): string => `${relation}__${generation}`

/** A relation of a schema, as SQL takes it whatever the search path. */
export const qualified = (schema: string, relation: string): string => `${quoted(schema)}.${quoted(relation)}`

/**
 * Sets the variables of an SQL file as psql would: `:"agents"` becomes the table of that name in one generation,
 * `:"schema"` the log's schema; `home` is the schema of the tables, where that is another. So `psql -v agents=agents__1 -v schema=tidemark` runs the same file.
 */
export const inGeneration = (
  sql: string,
  schema: string,
  relations: ReadonlyArray<string>,
  generation: number,
  home = schema
): string =>
  relations.reduce(
    (text, relation) =>
      text.replaceAll(`:"${relation}"`, () => qualified(home, physicalName(relation, generation))),
    withSchema(sql, schema)
  )

const BATCH = /(?<!:):batch\b/g

/** Sets `:batch` to the rows of a query, under a name where the file gives it none. */
export const overBatch = (sql: string, rows: string): string => sql.replace(BATCH, () => `(${rows})`)
