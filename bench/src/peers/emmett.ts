import { dumbo } from "@event-driven-io/dumbo"
import type { Event } from "@event-driven-io/emmett"
import {
  getPostgreSQLEventStore,
  readMessagesBatch,
  type PostgresEventStore
} from "@event-driven-io/emmett-postgresql"
import pg from "pg"
import { EMMETT } from "../contenders.ts"
import { EVENT_TYPE, type Step } from "../event.ts"
import { sql } from "../sql.ts"
import type { Contender, Stop } from "../store.ts"

type StepFinished = Event<typeof EVENT_TYPE, Step>

const CATCH_UP_PAGE = 10_000

const toEvent = (step: Step): StepFinished => ({ type: EVENT_TYPE, data: step })

// `startFrom: "END"` of this version starts from the first message, since it sorts the wrong way round.
const end = async (pool: pg.Pool): Promise<bigint> => {
  const { rows } = await pool.query<{ position: string | bigint }>(await sql("emmett-last-position"))
  return BigInt(rows[0]?.position ?? 0)
}

const subscribe = async (
  store: PostgresEventStore,
  lastCheckpoint: bigint,
  onStep: (step: Step) => void
): Promise<Stop> => {
  const consumer = store.consumer<StepFinished>()
  consumer.reactor<StepFinished>({
    processorId: `bench-${crypto.randomUUID()}`,
    startFrom: { lastCheckpoint },
    eachMessage: (message) => onStep(message.data)
  })
  const running = consumer.start()
  return async () => {
    // Not close(): that would close the pool, which is the store's.
    await consumer.stop()
    await running
  }
}

// A consumer would also store a checkpoint after each event. This is the read it stands on, in larger pages.
const replay = async (database: string, until: () => boolean): Promise<number> => {
  const pool = dumbo({ connectionString: database })
  let count = 0
  let after = 0n
  let more = true
  while (more && !until()) {
    const page = await readMessagesBatch<StepFinished>(pool.execute, { after, batchSize: CATCH_UP_PAGE })
    count += page.messages.length
    after = page.currentGlobalPosition
    more = page.areMessagesLeft
  }
  await pool.close()
  return count
}

/** Emmett: appendToStream through a pool, its polling consumer with a reactor, both at their defaults. */
export const emmett: Contender = {
  name: EMMETT,

  async install(database) {
    const store = getPostgreSQLEventStore(database)
    await store.schema.migrate()
    await store.close()
  },

  async open(database, connections) {
    const pool = new pg.Pool({ connectionString: database, max: connections })
    const store = getPostgreSQLEventStore(database, {
      schema: { autoMigration: "None" },
      connectionOptions: { pool }
    })
    return {
      async append(stream, steps) {
        await store.appendToStream<StepFinished>(stream, steps.map(toEvent))
      },
      subscribe: async (onStep) => subscribe(store, await end(pool), onStep),
      replay: (until) => replay(database, until),
      async close() {
        await store.close()
        await pool.end()
      }
    }
  }
}
