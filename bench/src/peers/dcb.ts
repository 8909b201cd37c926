import { Query, Tags, type DcbEvent, type SequencePosition } from "@dcb-es/event-store"
import { PostgresEventStore } from "@dcb-es/event-store-postgres"
import pg from "pg"
import { DCB } from "../contenders.ts"
import { EVENT_TYPE, type Step } from "../event.ts"
import type { Contender, Stop } from "../store.ts"

// A subscription holds one connection for LISTEN and takes another for each read.
const CONNECTIONS_OF_A_SUBSCRIPTION = 2

const toEvent = (stream: string, step: Step): DcbEvent => ({
  type: EVENT_TYPE,
  tags: Tags.fromObj({ stream }),
  data: step,
  metadata: {}
})

const lastPosition = async (store: PostgresEventStore): Promise<SequencePosition | undefined> => {
  for await (const { position } of store.read(Query.all(), { backwards: true, limit: 1 })) return position
  return undefined
}

/** dcb-event-store: append without a condition (its fastest), subscribe by NOTIFY, all options at their defaults. */
export const dcb: Contender = {
  name: DCB,

  async install(database) {
    const pool = new pg.Pool({ connectionString: database, max: 1 })
    await new PostgresEventStore({ pool }).ensureInstalled()
    await pool.end()
  },

  async open(database, connections) {
    const pool = new pg.Pool({ connectionString: database, max: connections + CONNECTIONS_OF_A_SUBSCRIPTION })
    const store = new PostgresEventStore({ pool })
    return {
      async append(stream, steps) {
        await store.append({ events: steps.map((step) => toEvent(stream, step)) })
      },
      async subscribe(onStep): Promise<Stop> {
        const controller = new AbortController()
        const after = await lastPosition(store)
        const from = after === undefined ? {} : { after }
        const live = (async () => {
          const events = store.subscribe(Query.all(), { ...from, signal: controller.signal })
          for await (const { event } of events) onStep(event.data as Step)
        })()
        return async () => {
          controller.abort()
          await live
        }
      },
      async replay(until) {
        let count = 0
        for await (const { event } of store.read(Query.all())) {
          if (event.type === EVENT_TYPE) count += 1
          if (until()) break
        }
        return count
      },
      close: () => pool.end()
    }
  }
}
