import { Client, DatabaseError, escapeIdentifier, escapeLiteral } from "pg"

/** The harness's own connections bear this name; the leak check leaves them out. */
export const harnessName = "tidemark-test"

/** `url` with another database. */
export const databaseUrl = (url: string, database: string): string => {
  const changed = new URL(url)
  changed.pathname = `/${encodeURIComponent(database)}`
  return changed.href
}

/** Runs `work` with a connection of its own. */
export const connected = async <A>(url: string, work: (client: Client) => Promise<A>): Promise<A> => {
  const client = new Client({ connectionString: url, application_name: harnessName })
  // A connection that breaks fails its query; without a listener it would end the process too.
  client.on("error", () => {})
  await client.connect()
  try {
    return await work(client)
  } finally {
    await client.end()
  }
}

export const quoted = escapeIdentifier

/** duplicate_database, and the unique_violation it becomes when two are made at the same moment. */
const nameTaken: ReadonlyArray<string | undefined> = ["42P04", "23505"]

/** Makes a database from a template; false where the name is taken. */
export const createDatabase = (url: string, name: string, template: string): Promise<boolean> =>
  connected(url, async (client) => {
    try {
      await client.query(`create database ${quoted(name)} template ${quoted(template)}`)
      return true
    } catch (error) {
      if (error instanceof DatabaseError && nameTaken.includes(error.code)) return false
      throw error
    }
  })

/** The ids of the prepared transactions in these databases. */
export const preparedIn = (url: string, databases: ReadonlyArray<string>): Promise<ReadonlyArray<string>> =>
  connected(url, async (client) => {
    const found = await client.query<{ gid: string }>(
      "select gid from pg_prepared_xacts where database = any($1) order by prepared",
      [databases]
    )
    return found.rows.map(({ gid }) => gid)
  })

/** Drops a database with everything that still holds on to it, prepared transactions too. */
export const dropDatabase = async (url: string, name: string): Promise<void> => {
  const prepared = await preparedIn(url, [name])
  if (prepared.length > 0) {
    // A prepared transaction can only be rolled back from its own database, and DROP ... FORCE does not do it.
    await connected(databaseUrl(url, name), async (client) => {
      for (const gid of prepared) await client.query(`rollback prepared ${escapeLiteral(gid)}`)
    })
  }
  await connected(url, (client) => client.query(`drop database if exists ${quoted(name)} with (force)`))
}
