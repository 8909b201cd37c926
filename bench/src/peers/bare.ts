import pg from "pg"
import { BARE } from "../contenders.ts"
import { EVENT_TYPE, type Step } from "../event.ts"
import { sql } from "../sql.ts"
import type { Contender } from "../store.ts"

interface Waiting {
  readonly stream: string
  readonly steps: ReadonlyArray<Step>
  readonly done: () => void
  readonly failed: (error: unknown) => void
}

const insert = async (pool: pg.Pool, batch: ReadonlyArray<Waiting>): Promise<void> => {
  const rows = batch.flatMap(({ stream, steps }) =>
    steps.map((step) => ({ stream, data: JSON.stringify(step) }))
  )
  await pool.query({
    name: BARE,
    text: await sql("bare-insert"),
    values: [
      rows.map(() => crypto.randomUUID()),
      rows.map((row) => row.stream),
      rows.map((_, index) => index + 1),
      rows.map(() => EVENT_TYPE),
      rows.map((row) => row.data)
    ]
  })
}

/**
 * The limit of bare Postgres under the same callers: whatever waits goes in one multi-row insert while the previous one
 * is in flight, into a table with the log's columns and nothing that guards them.
 */
export const bare: Contender = {
  name: BARE,

  async install(database) {
    const client = new pg.Client({ connectionString: database })
    await client.connect()
    await client.query(await sql("bare-events"))
    await client.end()
  },

  async open(database) {
    const pool = new pg.Pool({ connectionString: database, max: 1 })
    let waiting: Array<Waiting> = []
    let busy = false

    const flush = async (): Promise<void> => {
      busy = true
      while (waiting.length > 0) {
        const batch = waiting
        waiting = []
        await insert(pool, batch).then(
          () => batch.forEach(({ done }) => done()),
          (error: unknown) => batch.forEach(({ failed }) => failed(error))
        )
      }
      busy = false
    }

    return {
      append: (stream, steps) =>
        new Promise<void>((done, failed) => {
          waiting.push({ stream, steps, done, failed })
          // A microtask later, so that all callers released by one answer travel together.
          if (!busy) queueMicrotask(() => busy || void flush())
        }),
      close: () => pool.end()
    }
  }
}
