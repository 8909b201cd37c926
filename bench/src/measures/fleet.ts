import pg from "pg"
import type { Engine } from "../../../dist/src/index.js"
import type { Bench, Measure } from "../bench.ts"
import { TIDEMARK } from "../contenders.ts"
import { figure } from "../figure.ts"
import { quantile } from "../quantile.ts"
import { sql } from "../sql.ts"
import { engineAt } from "../tidemark.ts"

/** How many callers record beats at once, each waiting for its own. */
const CALLERS = 256

/** Among how many agents the beats are shared out. */
const AGENTS = 10_000

/** How often each question is asked in a round. */
const TIMES = 40

const PAGE = 100
const MEASURING_AGENTS = 100

const record = async (bench: Bench, engine: Engine): Promise<number> => {
  const ends = performance.now() + bench.turn
  let beats = 0
  const since = performance.now()
  const caller = async (): Promise<void> => {
    while (performance.now() < ends) {
      beats += 1
      await engine.heartbeats.record({
        agent: `agent-${beats % AGENTS}`,
        state: "busy",
        metrics: { cpu_usage: 20 }
      })
    }
  }
  await Promise.all(Array.from({ length: CALLERS }, caller))
  return (beats * 1000) / (performance.now() - since)
}

const median = (values: ReadonlyArray<number>): number => quantile(values, 0.5)

/** Heartbeats one by one from a process that folds them as well, and then everything that is behind. */
export const heartbeatRecord: Measure = {
  figures: ["heartbeat.record"],
  run: async (bench) => {
    const database = await bench.server.createDatabase(TIDEMARK)
    const engine = await engineAt(database)
    try {
      await record(bench, engine)
      const rates: Array<number> = []
      for (let round = 0; round < bench.rounds; round += 1) rates.push(await record(bench, engine))
      const behind = (await engine.status()).projections.find(({ name }) => name === "heartbeats")
      bench.note(`  the read model was ${behind?.lag.atMost ?? 0} beats behind at the end`)
      return [figure("heartbeat.record", "events/s", median(rates))]
    } finally {
      await engine.close()
      await bench.server.dropDatabase(database)
    }
  }
}

const p95 = async (bench: Bench, ask: (nth: number) => Promise<unknown>): Promise<number> => {
  const times: Array<number> = []
  for (let nth = 0; nth < (bench.rounds + 1) * TIMES; nth += 1) {
    const since = performance.now()
    await ask(nth)
    if (nth >= TIMES) times.push(performance.now() - since)
  }
  return quantile(times, 0.95)
}

const fill = async (bench: Bench, database: string): Promise<void> => {
  const client = new pg.Client({ connectionString: database })
  await client.connect()
  await client.query("set search_path to tidemark")
  await client.query(await sql("fill-fleet"))
  await client.end()
  await bench.server.vacuum(database)
}

/** What is asked of a large fleet: how many agents are well and which are not, and what one agent's metrics came to in a day. */
export const fleetQuestions: Measure = {
  figures: ["health.overview.100k_agents.p95", "metrics.summary.24h.p95"],
  run: async (bench) => {
    const database = await bench.server.createDatabase(TIDEMARK)
    const engine = await engineAt(database)
    try {
      await fill(bench, database)
      const overview = await p95(bench, () => engine.vitals.overview({ limit: PAGE }))
      const summary = await p95(bench, (nth) =>
        engine.metrics.summary({ agent: `a${1 + (nth % MEASURING_AGENTS)}` })
      )
      return [
        figure("health.overview.100k_agents.p95", "ms", overview),
        figure("metrics.summary.24h.p95", "ms", summary)
      ]
    } finally {
      await engine.close()
      await bench.server.dropDatabase(database)
    }
  }
}
