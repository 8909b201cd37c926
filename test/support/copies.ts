import { afterAll } from "vitest"
import { type Engine, open } from "../../src/index.ts"
import { connected, createDatabase, dropDatabase, quoted } from "./admin.ts"
import type { TestDatabase } from "./database.ts"

/** Copies of the databases of a test file, and what one of them takes the place of. */
export interface Copies {
  /** The name of a copy of a database that nobody is connected to. */
  readonly of: (url: string) => Promise<string>
  /** Puts a copy in the place of the database, which goes on under another name. */
  readonly swapIn: (url: string, copy: string) => Promise<void>
}

const nameOf = (url: string): string => decodeURIComponent(new URL(url).pathname.slice(1))

/** Dropped when the tests of the file are over. */
export const databaseCopies = (db: Pick<TestDatabase, "url">): Copies => {
  const left: Array<string> = []
  afterAll(async () => {
    for (const name of left) await dropDatabase(db.url, name)
  })
  return {
    of: async (url) => {
      const copy = `${nameOf(url)}_copy`
      await createDatabase(db.url, copy, nameOf(url))
      left.push(copy)
      return copy
    },
    swapIn: (url, copy) =>
      connected(db.url, async (client) => {
        const [name, aside] = [nameOf(url), `${nameOf(url)}_aside`]
        left.push(aside)
        await client.query(`alter database ${quoted(name)} allow_connections false`)
        await client.query(
          "select pg_terminate_backend(pid, 5000) from pg_stat_activity where datname = $1",
          [name]
        )
        await client.query(`alter database ${quoted(name)} rename to ${quoted(aside)}`)
        await client.query(`alter database ${quoted(copy)} rename to ${quoted(name)}`)
      })
  }
}

/** Runs `work` with an engine of its own. */
export const withEngine = async <A>(url: string, work: (engine: Engine) => Promise<A>): Promise<A> => {
  const engine = await open({ database: url, logger: false })
  try {
    return await work(engine)
  } finally {
    await engine.close()
  }
}
