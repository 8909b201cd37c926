import pg from "pg"
import type { Engine } from "../../../dist/src/index.js"
import type { Bench, Measure } from "../bench.ts"
import { TIDEMARK } from "../contenders.ts"
import { figure } from "../figure.ts"
import { quantile } from "../quantile.ts"
import { sql } from "../sql.ts"
import { engineAt } from "../tidemark.ts"

/** How often each question is asked in a round. */
const TIMES = 40

/** Among how many names the rows are shared out. */
const NAMES = 1_000

const LIMIT = 100

type Ask = (engine: Engine, name: number) => Promise<unknown>

/** What each list may be asked for, common and rare. */
type Questions = Readonly<Record<string, ReadonlyArray<Ask>>>

const ofReports: Questions = {
  heartbeats: [
    (engine) => engine.heartbeats.recent({ limit: LIMIT }),
    (engine, n) => engine.heartbeats.recent({ agent: `a${n}`, limit: LIMIT }),
    (engine, n) => engine.heartbeats.recent({ agent: `a${n}`, minutes: 10_000, limit: LIMIT }),
    (engine) => engine.heartbeats.recent({ agent: "nobody", limit: LIMIT })
  ],
  metrics: [
    (engine) => engine.metrics.list({ limit: LIMIT }),
    (engine, n) => engine.metrics.list({ agent: `a${n}`, limit: LIMIT }),
    (engine, n) => engine.metrics.list({ name: `m${n % 100}`, limit: LIMIT }),
    (engine) => engine.metrics.list({ name: "none", limit: LIMIT }),
    (engine, n) => engine.metrics.list({ agent: `a${n}`, name: `m${n % 100}`, limit: LIMIT })
  ],
  communications: [
    (engine) => engine.communications.list({ limit: LIMIT }),
    (engine, n) => engine.communications.list({ from: `a${n}`, limit: LIMIT }),
    (engine, n) => engine.communications.list({ to: `a${n}`, before: 500_000, limit: LIMIT }),
    (engine, n) => engine.communications.list({ type: `t${n % 50}`, limit: LIMIT }),
    (engine, n) => engine.communications.list({ from: `a${n}`, type: `t${(n + 1) % 50}`, limit: LIMIT }),
    (engine, n) => engine.communications.list({ from: `a${n}`, to: `a${n}`, limit: LIMIT }),
    (engine, n) => engine.communications.list({ to: `a${n}`, type: `t${n % 50}`, limit: LIMIT })
  ],
  inbox: [
    (engine, n) => engine.communications.inbox({ agent: `a${n}`, limit: LIMIT }),
    (engine, n) => engine.communications.inbox({ agent: `a${n}`, unread: true, limit: LIMIT }),
    (engine) => engine.communications.inbox({ agent: "a7", unread: true, limit: LIMIT })
  ],
  help: [
    (engine) => engine.help.list({ limit: LIMIT }),
    (engine, n) => engine.help.list({ user: `u${n}`, limit: LIMIT }),
    (engine) => engine.help.list({ status: "pending", limit: LIMIT }),
    (engine) => engine.help.list({ priority: "critical", limit: LIMIT }),
    (engine, n) => engine.help.list({ user: `u${n}`, status: "pending", limit: LIMIT }),
    (engine, n) => engine.help.list({ user: `u${n}`, priority: "critical", status: "pending", limit: LIMIT })
  ],
  conversations: [
    (engine) => engine.conversations.list({ limit: LIMIT }),
    (engine, n) => engine.conversations.list({ agent: `a${n}`, limit: LIMIT }),
    (engine, n) => engine.conversations.list({ model: `l${n % 10}`, limit: LIMIT }),
    (engine, n) => engine.conversations.list({ agent: `a${n}`, model: `l${n % 10}`, limit: LIMIT }),
    (engine, n) => engine.conversations.list({ agent: `a${n}`, model: "none", limit: LIMIT })
  ],
  system_events: [
    (engine) => engine.systemEvents.list({ limit: LIMIT }),
    (engine, n) => engine.systemEvents.list({ agent: `a${n}`, limit: LIMIT }),
    (engine, n) => engine.systemEvents.list({ type: `e${n % 100}`, severity: "ERROR", limit: LIMIT }),
    (engine, n) => engine.systemEvents.list({ agent: `a${n}`, type: `e${n % 100}`, limit: LIMIT })
  ]
}

const ofAgents: Questions = {
  agents: [
    (engine) => engine.agents.list({ limit: LIMIT }),
    (engine, n) => engine.agents.list({ after: `a${n * 1000}`, limit: LIMIT }),
    (engine, n) => engine.agents.active({ after: `a${n * 1000}`, limit: LIMIT }),
    (engine) => engine.agents.list({ state: "failing", limit: LIMIT }),
    (engine, n) => engine.agents.list({ type: `t${n % 50}`, limit: LIMIT }),
    (engine, n) => engine.agents.list({ type: `t${n % 50}`, state: "failing", active: true, limit: LIMIT }),
    (engine) => engine.agents.list({ capability: "common", limit: LIMIT }),
    (engine, n) => engine.agents.list({ capability: `c${n}`, limit: LIMIT }),
    (engine, n) => engine.agents.active({ capability: `c${n}`, type: `t${n % 50}`, limit: LIMIT }),
    (engine) => engine.agents.list({ capability: "none", limit: LIMIT })
  ],
  sessions: [
    (engine) => engine.sessions.list({ limit: LIMIT }),
    (engine, n) => engine.sessions.list({ before: 1 + n * 1000, limit: LIMIT }),
    (engine) => engine.sessions.list({ status: "active", limit: LIMIT }),
    (engine) => engine.sessions.list({ status: "expired", limit: LIMIT }),
    (engine, n) => engine.sessions.list({ user: `u${n}`, limit: LIMIT }),
    (engine, n) => engine.sessions.list({ user: `u${n}`, status: "active", limit: LIMIT }),
    (engine, n) => engine.sessions.list({ agent: `a${n}`, status: "ended", limit: LIMIT }),
    (engine, n) => engine.sessions.list({ user: `u${n}`, agent: `a${(n * 7) % NAMES}`, limit: LIMIT }),
    (engine) => engine.sessions.list({ user: "nobody", limit: LIMIT })
  ]
}

const fill = async (bench: Bench, database: string, script: string): Promise<void> => {
  const client = new pg.Client({ connectionString: database })
  await client.connect()
  await client.query("set search_path to tidemark")
  await client.query(await sql(script))
  await client.end()
  await bench.server.vacuum(database)
}

/** Of the question that takes longest. */
const worstP95 = async (
  bench: Bench,
  engine: Engine,
  list: string,
  asks: ReadonlyArray<Ask>
): Promise<number> => {
  const all = asks.map((): Array<number> => [])
  for (let round = 0; round <= bench.rounds; round += 1) {
    for (let time = 0; time < TIMES; time += 1) {
      const name = ((round * TIMES + time) * 7) % NAMES
      for (const [at, ask] of asks.entries()) {
        const since = performance.now()
        await ask(engine, name)
        if (round > 0) all[at]!.push(performance.now() - since)
      }
    }
  }
  const found = all.map((times) => quantile(times, 0.95))
  bench.note(`  ${list}: ${found.map((ms) => ms.toFixed(1)).join(", ")} ms`)
  return Math.max(...found)
}

/** How long a page of each list takes where there are a million rows, whatever it is asked for. */
const listing = (script: string, questions: Questions): Measure => ({
  figures: Object.keys(questions).map((list) => `list.${list}.p95`),
  run: async (bench) => {
    const database = await bench.server.createDatabase(TIDEMARK)
    const engine = await engineAt(database)
    try {
      await fill(bench, database, script)
      const figures = []
      for (const [list, asks] of Object.entries(questions))
        figures.push(figure(`list.${list}.p95`, "ms", await worstP95(bench, engine, list, asks)))
      return figures
    } finally {
      await engine.close()
      await bench.server.dropDatabase(database)
    }
  }
})

export const lists = listing("fill-lists", ofReports)
export const agentLists = listing("fill-agent-lists", ofAgents)
