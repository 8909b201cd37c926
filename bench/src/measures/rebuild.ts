import pg from "pg"
import type { Bench, Measure } from "../bench.ts"
import { TIDEMARK } from "../contenders.ts"
import { entered } from "../entrant.ts"
import { figure } from "../figure.ts"
import { median } from "../quantile.ts"
import { sql } from "../sql.ts"
import { engineAt } from "../tidemark.ts"

const EVENTS = 1_000_000
const EVENTS_PER_INSERT = 100_000
const AGENTS = 1_000

/** Fills a log through its own tables; the engine's emit would take as long as the measure. */
const fill = async (bench: Bench, database: string, ofAgents: boolean): Promise<void> => {
  const text = await sql("fill-read-models")
  const client = new pg.Client({ connectionString: database })
  await client.connect()
  await client.query("set search_path to tidemark")
  for (let first = 0; first < EVENTS; first += EVENTS_PER_INSERT) {
    // Telemetry is kept in partitions, which are made ahead of it.
    await client.query("select extend_telemetry((select last_value from log_position))")
    await client.query(text, [first, EVENTS_PER_INSERT, ofAgents, AGENTS])
  }
  await client.end()
  await bench.server.vacuum(database)
}

/** From the call to the swap, in a log of a million events of its types: an engine's own read model, with all its indexes. */
const rebuilding = (name: string, projection: string, ofAgents: boolean): Measure => ({
  figures: [name],
  run: (bench) =>
    entered(bench, TIDEMARK, async ({ database, close }) => {
      // Its read models would be folded live beside the measure.
      await close()
      await fill(bench, database, ofAgents)
      const rates: Array<number> = []
      const engine = await engineAt(database, "follow")
      try {
        for (let round = 1; round <= bench.rounds; round += 1) {
          await bench.server.checkpoint()
          const { rate, events, seconds } = await engine.rebuild(projection, { keep: 0 })
          bench.note(`  round ${round} of ${bench.rounds}: ${events} events in ${seconds.toFixed(1)} s`)
          rates.push(rate)
        }
      } finally {
        await engine.close()
      }
      return [figure(name, "events/s", median(rates))]
    })
})

export const rebuildRows = rebuilding("rebuild.rows", "heartbeats", false)
export const rebuildEntities = rebuilding("rebuild.entities", "agents", true)
