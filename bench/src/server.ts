import pg from "pg"
import { median } from "./quantile.ts"
import { sql } from "./sql.ts"

/** A database server on which every contender gets a database of its own. */
export interface Server {
  /** Version and durability settings in words, so that numbers can be judged later. */
  describe(): Promise<string>
  /** Creates an empty database and returns its URL. */
  /** The median of what one small durable commit takes just now, in ms: the disk's mood, which moves every number. */
  commit(): Promise<number>
  createDatabase(label: string): Promise<string>
  dropDatabase(url: string): Promise<void>
  /** Refreshes the planner's statistics and the visibility map, as autovacuum would have done by then. */
  vacuum(url: string): Promise<void>
  /** Writes out what earlier turns left dirty, where the user may; otherwise the next turn's fsyncs would pay for it. */
  checkpoint(): Promise<void>
  /** Drops what is left of its databases. */
  close(): Promise<void>
}

const execute = async (url: string, statement: string): Promise<void> => {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    await client.query(statement)
  } finally {
    await client.end()
  }
}

// A pool's end() does not wait for its sockets; a session that is killed instead of awaited would crash its process.
const SESSIONS_GONE_WITHIN_MS = 3000
const LOOK_AGAIN_MS = 20

const drop = async (url: string, name: string): Promise<void> => {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    const deadline = performance.now() + SESSIONS_GONE_WITHIN_MS
    while (performance.now() < deadline) {
      const sessions = await client.query("select from pg_stat_activity where datname = $1", [name])
      if (sessions.rowCount === 0) break
      await new Promise((resolve) => setTimeout(resolve, LOOK_AGAIN_MS))
    }
    await client.query(`drop database if exists ${pg.escapeIdentifier(name)} with (force)`)
  } finally {
    await client.end()
  }
}

const describe = async (url: string): Promise<string> => {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    const { rows } = await client.query<{ words: string }>(await sql("describe-server"))
    return rows[0]?.words ?? ""
  } finally {
    await client.end()
  }
}

const COMMITS = 100

const commit = async (url: string): Promise<number> => {
  const text = await sql("commit-probe")
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  const took: Array<number> = []
  try {
    while (took.length < COMMITS) {
      const began = performance.now()
      await client.query({ name: "commit-probe", text })
      took.push(performance.now() - began)
    }
  } finally {
    await client.end()
  }
  return median(took)
}

const INSUFFICIENT_PRIVILEGE = "42501"

const ignoreLackOfPrivilege = (error: unknown): void => {
  if (!(error instanceof pg.DatabaseError && error.code === INSUFFICIENT_PRIVILEGE)) throw error
}

const nameOf = (url: string): string => new URL(url).pathname.slice(1)

const withName = (url: string, name: string): string => {
  const changed = new URL(url)
  changed.pathname = `/${name}`
  return changed.href
}

/** Uses the server at `url`, whose user must be allowed to create databases. `stop` runs after the last database is gone. */
export const serverAt = (url: string, stop: () => Promise<void> = async () => {}): Server => {
  const created = new Set<string>()
  let count = 0

  const dropDatabase = async (database: string): Promise<void> => {
    await drop(url, nameOf(database))
    created.delete(database)
  }

  return {
    describe: () => describe(url),
    commit: () => commit(url),
    async createDatabase(label) {
      count += 1
      const name = `tidemark_bench_${process.pid}_${count}_${label.replace(/\W/g, "_")}`
      await execute(url, `create database ${pg.escapeIdentifier(name)}`)
      const database = withName(url, name)
      created.add(database)
      return database
    },
    dropDatabase,
    vacuum: (database) => execute(database, "vacuum analyze"),
    async checkpoint() {
      await execute(url, "checkpoint").catch(ignoreLackOfPrivilege)
    },
    async close() {
      for (const database of created) await dropDatabase(database)
      await stop()
    }
  }
}
