import { Effect } from "effect"
import { connection } from "../../src/postgres/connection.ts"
import { migrate } from "../../src/postgres/migrate.ts"
import { Postgres } from "../../src/postgres/postgres.ts"
import { databaseUrl, connected, createDatabase, dropDatabase, quoted } from "./admin.ts"

/** The schema of the log in the template. */
export const templateSchema = "tidemark"

/** The one place that says what a fresh test database holds. */
const fill = (url: string): Promise<unknown> =>
  Effect.runPromise(
    Effect.gen(function* () {
      const postgres = Postgres.layer({
        connection: yield* connection(url),
        schema: templateSchema,
        poolSize: 1
      })
      return yield* Effect.provide(migrate, postgres)
    })
  )

/** Makes the database that test databases are copied from, and lets nobody connect to it, so that copying never waits. */
export const makeTemplate = async (url: string, prefix: string): Promise<string> => {
  const name = `${prefix}template`
  if (!(await createDatabase(url, name, "template0"))) throw new Error(`the database ${name} exists already`)
  await fill(databaseUrl(url, name))
  await connected(url, (client) =>
    client.query(`alter database ${quoted(name)} with is_template true allow_connections false`)
  )
  return name
}

/** Drops every database of the run, those that a killed test file left behind too. */
export const dropAll = async (url: string, prefix: string): Promise<void> => {
  const names = await connected(url, async (client) => {
    const found = await client.query<{ datname: string }>(
      "select datname from pg_database where starts_with(datname, $1)",
      [prefix]
    )
    return found.rows.map(({ datname }) => datname)
  })
  for (const name of names) {
    await connected(url, (client) => client.query(`alter database ${quoted(name)} with is_template false`))
    await dropDatabase(url, name)
  }
}
