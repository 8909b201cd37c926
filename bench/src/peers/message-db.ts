import { readFile } from "node:fs/promises"
import { createRequire } from "node:module"
import { dirname, join } from "node:path"
import pg from "pg"
import { MESSAGE_DB, MESSAGE_DB_SPREAD } from "../contenders.ts"
import { CATEGORY, EVENT_TYPE, type Step } from "../event.ts"
import { sql } from "../sql.ts"
import type { Contender } from "../store.ts"

const PAGE = 1000

// The order of the package's own install.sh, which needs psql; the views and privileges change nothing that is measured.
const INSTALLATION = [
  "schema/message-store",
  "extensions/pgcrypto",
  "tables/messages",
  "types/message",
  "functions/message-store-version",
  "functions/hash-64",
  "functions/acquire-lock",
  "functions/category",
  "functions/is-category",
  "functions/id",
  "functions/cardinal-id",
  "functions/stream-version",
  "functions/write-message",
  "functions/get-stream-messages",
  "functions/get-category-messages",
  "functions/get-last-stream-message",
  "indexes/messages-id",
  "indexes/messages-stream",
  "indexes/messages-category"
]

const directory = (): string => {
  const manifest = createRequire(import.meta.url).resolve("@eventide/message-db/package.json")
  return join(dirname(manifest), "database")
}

const replay = async (pool: pg.Pool, until: () => boolean): Promise<number> => {
  const text = await sql("message-db-read")
  let count = 0
  let position = 1
  for (;;) {
    const { rows } = await pool.query<{ data: string; global_position: string }>({
      name: "message-db-read",
      text,
      values: [CATEGORY, position, PAGE]
    })
    for (const row of rows) if ((JSON.parse(row.data) as Step).status !== undefined) count += 1
    const last = rows.at(-1)
    if (last === undefined || rows.length < PAGE || until()) return count
    position = Number(last.global_position) + 1
  }
}

const append = async (pool: pg.Pool, stream: string, steps: ReadonlyArray<Step>): Promise<void> => {
  const ids = steps.map(() => crypto.randomUUID())
  await pool.query({
    name: "message-db-write",
    text: await sql("message-db-write"),
    values: [ids, stream, EVENT_TYPE, steps.map((step) => JSON.stringify(step))]
  })
}

/** message-db: `write_message`, one prepared call per append (a batch is one statement, hence one transaction). */
export const messageDb: Contender = {
  name: MESSAGE_DB,

  async install(database) {
    const client = new pg.Client({ connectionString: database })
    await client.connect()
    await client.query("set search_path = message_store, public")
    for (const file of INSTALLATION) {
      await client.query(await readFile(join(directory(), `${file}.sql`), "utf8"))
    }
    await client.end()
  },

  async open(database, connections) {
    const pool = new pg.Pool({
      connectionString: database,
      max: connections,
      options: "-c search_path=message_store,public"
    })
    return {
      append: (stream, steps) => append(pool, stream, steps),
      replay: (until) => replay(pool, until),
      close: () => pool.end()
    }
  }
}

/** Appends lock their stream's category until they are durable. Here every stream has one of its own. */
export const messageDbSpread: Contender = {
  name: MESSAGE_DB_SPREAD,
  install: messageDb.install,

  async open(database, connections) {
    const store = await messageDb.open(database, connections)
    return { ...store, append: (stream, steps) => store.append(stream.replace("-", "_"), steps) }
  }
}
