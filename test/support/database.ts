import path from "node:path"
import { fileURLToPath } from "node:url"
import { Pool, type QueryResultRow } from "pg"
import { afterAll, beforeAll, expect } from "vitest"
import { connected, createDatabase, databaseUrl, dropDatabase, harnessName } from "./admin.ts"
import { leftBehind } from "./connections.ts"
import { Leaked } from "./leaks.ts"
import { currentRun } from "./run.ts"

export type TestDatabase = {
  /** A copy of the migrated template, for this file alone. */
  readonly url: string
  readonly name: string
  /** Connections of the owner's, apart from those under test. */
  readonly pool: Pool
  /** Runs one statement as the owner and returns its rows. */
  readonly query: <Row extends QueryResultRow = QueryResultRow>(
    sql: string,
    params?: ReadonlyArray<unknown>
  ) => Promise<ReadonlyArray<Row>>
  /** The URL of one more database of this file: a copy of the template, or without any schema. */
  readonly fresh: (options?: { readonly empty?: boolean }) => Promise<string>
  /** Ends the connections of this file's databases that bear the name, waits until they are gone, returns how many. */
  readonly terminate: (applicationName: string) => Promise<number>
}

const longestName = 63
const terminationWithin = 5_000
const testFolder = fileURLToPath(new URL("../", import.meta.url))

/** test/log/append.test.ts gives log_append. */
const slug = (file: string) =>
  path
    .relative(testFolder, file)
    .replace(/\.\w+\.ts$/, "")
    .replace(/\W+/g, "_")
    .replace(/^_+/, "")

let made = 0

/** Files whose names come out alike are told apart by the number. */
const makeDatabase = async (file: string, template: string): Promise<string> => {
  const { url, prefix } = currentRun()
  for (;;) {
    made += 1
    const room = longestName - prefix.length - `_${made}`.length
    const name = `${prefix}${slug(file).slice(-room)}_${made}`
    if (await createDatabase(url, name, template)) return name
  }
}

/** How many databases of a file are dropped at once: each takes a connection that the other files' tests may want. */
const dropsAtOnce = 10

/** Some at the same time, so that they share the checkpoint that each of them waits for. */
const dropAll = async (url: string, names: ReadonlyArray<string>): Promise<void> => {
  const left = [...names]
  const dropOn = async (): Promise<void> => {
    for (let name = left.pop(); name !== undefined; name = left.pop()) await dropDatabase(url, name)
  }
  await Promise.all(Array.from({ length: dropsAtOnce }, dropOn))
}

const terminate = (url: string, databases: ReadonlyArray<string>, applicationName: string) =>
  connected(url, async (client) => {
    const ended = await client.query(
      `select pg_terminate_backend(pid, $3) from pg_stat_activity
        where datname = any($1) and application_name = $2 and backend_type = 'client backend'`,
      [databases, applicationName, terminationWithin]
    )
    return ended.rowCount ?? 0
  })

/** How long it may take to drop the databases of a file, in ms: there may be hundreds of them. */
const DROPPED_MS = 180_000

/**
 * A database for the calling test file, made before its first test and dropped after its last. Fails the file when it
 * leaves a connection or a prepared transaction behind. Call it once, at the top of the file.
 */
export const testDatabase = (): TestDatabase => {
  const names: Array<string> = []
  let file = ""
  let pool: Pool | undefined

  const running = (): Pool => {
    if (pool === undefined)
      throw new Error("the test database is there from beforeAll on: use it in hooks and tests")
    return pool
  }
  const make = async (template: string) => {
    const name = await makeDatabase(file, template)
    names.push(name)
    return databaseUrl(currentRun().url, name)
  }

  beforeAll(async () => {
    file = expect.getState().testPath ?? ""
    const url = await make(currentRun().template)
    pool = new Pool({ connectionString: url, application_name: harnessName, max: 5 })
    // Tests end connections on purpose; the next query opens another.
    pool.on("error", () => {})
  })

  afterAll(async () => {
    const { url } = currentRun()
    await pool?.end()
    const leaks = await leftBehind(url, names)
    await dropAll(url, names)
    if (leaks.length > 0) throw new Leaked(leaks)
  }, DROPPED_MS)

  const name = () => (running(), names[0] ?? "")

  return {
    get url() {
      return databaseUrl(currentRun().url, name())
    },
    get name() {
      return name()
    },
    get pool() {
      return running()
    },
    query: async <Row extends QueryResultRow>(sql: string, params: ReadonlyArray<unknown> = []) =>
      (await running().query<Row>(sql, [...params])).rows,
    fresh: ({ empty = false } = {}) => make(empty ? "template0" : currentRun().template),
    terminate: (applicationName) => terminate(currentRun().url, names, applicationName)
  }
}
