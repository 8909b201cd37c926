import pg from "pg"
import { uuid } from "../../../dist/src/base/uuid.js"
import type { Engine } from "../../../dist/src/index.js"
import type { Bench } from "../bench.ts"
import { sql } from "../sql.ts"
import { eventAt, founding } from "./mix.ts"
import type { Placed } from "./placed.ts"
import { changeState } from "./states.ts"

const EVENTS_PER_INSERT = 20_000
const EVENTS_PER_SECOND = 10_000

const row = ({ stream, event: { id = uuid(), type, data, labels = [] } }: Placed) => ({
  id,
  stream,
  type,
  data,
  labels
})

/** Which events of the fleet: so many from the nth on. */
export interface Stretch {
  readonly first: number
  readonly count: number
}

/**
 * Writes a stretch of the fleet's events, and before the first of all what it is founded with, through the log's own tables: the engine's emit would
 * take longer than the measure. They are recorded as if they had come at the fleet's pace, up to now. Changes of agents' states go through an engine.
 */
export const fillFleet = async (
  bench: Bench,
  engine: Engine,
  database: string,
  { first, count }: Stretch
): Promise<void> => {
  const text = await sql("fill-mix")
  const client = new pg.Client({ connectionString: database })
  await client.connect()
  await client.query("set search_path to tidemark")
  const began = Date.now() - (count / EVENTS_PER_SECOND) * 1000
  const insert = async (events: ReadonlyArray<Placed>, recorded: number): Promise<void> => {
    // Telemetry is kept in partitions, which are made ahead of it.
    await client.query("select extend_telemetry((select last_value from log_position))")
    await client.query(text, [JSON.stringify(events.map(row)), new Date(recorded)])
  }
  try {
    if (first === 0) await insert(founding(), began)
    for (let done = 0; done < count; done += EVENTS_PER_INSERT) {
      if (done % (EVENTS_PER_INSERT * 10) === 0) bench.note(`  filling the log: ${done} of ${count}`)
      const numbers = Array.from(
        { length: Math.min(EVENTS_PER_INSERT, count - done) },
        (_, at) => first + done + at
      )
      const events = numbers.map(eventAt)
      await insert(
        events.filter((event) => event !== undefined),
        began + (done / EVENTS_PER_SECOND) * 1000
      )
      await Promise.all(
        numbers.filter((_, at) => events[at] === undefined).map((n) => changeState(engine, n))
      )
    }
  } finally {
    await client.end()
  }
}
