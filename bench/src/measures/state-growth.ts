import pg from "pg"
import type { Bench, Measure } from "../bench.ts"
import { TIDEMARK } from "../contenders.ts"
import { figure } from "../figure.ts"
import { LANGGRAPH, saverAt } from "../peers/langgraph.ts"
import { sql } from "../sql.ts"
import { folded } from "../states/contents.ts"
import { engineAt } from "../tidemark.ts"

/** Several agents, so that pages which are only begun do not count. */
const AGENTS = 10
const TURNS = 200
const TURN_BYTES = 1_000

/** Text that does not compress much, as what people and models say does not. */
const message = (seed: number): string => {
  let state = seed * 2_654_435_761 + 1
  const next = (): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state
  }
  return Array.from({ length: TURN_BYTES / 8 }, () => next().toString(16).padStart(8, "0")).join("")
}

const sizeOf = async (bench: Bench, database: string): Promise<number> => {
  await bench.server.vacuum(database)
  const client = new pg.Client({ connectionString: database })
  await client.connect()
  try {
    const { rows } = await client.query<{ bytes: number }>(await sql("table-bytes"))
    return rows[0]!.bytes
  } finally {
    await client.end()
  }
}

/** Bytes that tables and indexes grew by, for each byte that was appended. */
const growth = async (
  bench: Bench,
  database: string,
  append: (agent: number, turn: number) => Promise<unknown>,
  settle: () => Promise<void>
): Promise<number> => {
  const before = await sizeOf(bench, database)
  for (let turn = 0; turn < TURNS; turn += 1)
    await Promise.all(Array.from({ length: AGENTS }, (_, agent) => append(agent, turn)))
  await settle()
  return ((await sizeOf(bench, database)) - before) / (AGENTS * TURNS * TURN_BYTES)
}

const ofTidemark = async (bench: Bench, database: string): Promise<number> => {
  const engine = await engineAt(database)
  try {
    const states = Array.from({ length: AGENTS }, (_, agent) => engine.state(`agent-${agent}`))
    for (const state of states) await state.update({ session: { messages: [] } })
    const append = (agent: number, turn: number) =>
      states[agent]!.patch([{ op: "add", path: "/session/messages/-", value: message(agent * TURNS + turn) }])
    return await growth(bench, database, append, () => folded(engine))
  } finally {
    await engine.close()
  }
}

const ofLanggraph = async (bench: Bench, database: string): Promise<number> => {
  const saver = await saverAt(database, AGENTS)
  try {
    const messages = Array.from({ length: AGENTS }, (): Array<string> => [])
    const threads = await Promise.all(
      messages.map((_, agent) => saver.thread(`thread-${agent}`, { messages: [] }))
    )
    const append = (agent: number, turn: number) => {
      messages[agent]!.push(message(agent * TURNS + turn))
      return threads[agent]!.put("messages", messages[agent])
    }
    return await growth(bench, database, append, async () => {})
  } finally {
    await saver.close()
  }
}

const onDatabase = async (
  bench: Bench,
  name: string,
  use: (bench: Bench, database: string) => Promise<number>
): Promise<number> => {
  const database = await bench.server.createDatabase(name)
  try {
    bench.note(`  ${name}`)
    return await use(bench, database)
  } finally {
    await bench.server.dropDatabase(database)
  }
}

/** What 200 turns cost that each append 1 kB to an array: in the log, in read models, and in their indexes. */
export const stateGrowth: Measure = {
  figures: ["state.growth.200_turns"],
  run: async (bench) => {
    const own = await onDatabase(bench, TIDEMARK, ofTidemark)
    const peer = await onDatabase(bench, LANGGRAPH, ofLanggraph)
    return [figure("state.growth.200_turns", "bytes/byte", own, [{ name: LANGGRAPH, value: peer }])]
  }
}
