import pg from "pg"
import type { Bench, Measure } from "../bench.ts"
import { TIDEMARK } from "../contenders.ts"
import { entered } from "../entrant.ts"
import { EVENT_TYPE, step } from "../event.ts"
import { sql } from "../sql.ts"
import { compared, interleaved } from "../turns.ts"

const CALLERS = 64
const EVENTS_PER_STREAM = 100
const EVENTS_PER_INSERT = 250_000
const SMALL_LOG = "tidemark, small log"

/** Fills an empty log with whole streams, set-based, through the table itself: every guard of the table still holds. */
const fill = async (bench: Bench, database: string): Promise<void> => {
  const text = await sql("fill-log")
  const client = new pg.Client({ connectionString: database })
  await client.connect()
  await client.query("set search_path = tidemark")
  for (let first = 0; first < bench.bigLog; first += EVENTS_PER_INSERT) {
    bench.note(`  filling the big log: ${first} of ${bench.bigLog}`)
    const count = Math.min(EVENTS_PER_INSERT, bench.bigLog - first)
    await client.query(text, [first, count, EVENTS_PER_STREAM, EVENT_TYPE, JSON.stringify(step(1))])
  }
  await client.end()
  await bench.server.vacuum(database)
}

export const emitBigLog: Measure = {
  figures: ["emit.c64.5M"],
  run: (bench) =>
    entered(bench, TIDEMARK, (big) =>
      entered(bench, TIDEMARK, async (small) => {
        await fill(bench, big.database)
        const load = { callers: CALLERS, eventsPerAppend: 1, milliseconds: bench.turn }
        for (const entrant of [big, small]) await entrant.perform("drive", load)
        await bench.server.vacuum(small.database)
        const entrants = [big, { ...small, name: SMALL_LOG }]
        const turns = await interleaved(bench, entrants, (entrant) => entrant.perform("drive", load))
        const isSmall = (name: string): boolean => name === SMALL_LOG
        return [compared("emit.c64.5M", "events/s", turns, (turn) => turn.eventsPerSecond, isSmall)]
      })
    )
}
