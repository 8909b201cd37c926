import { type ChildProcess, fork } from "node:child_process"
import { once } from "node:events"
import { setTimeout as pause } from "node:timers/promises"
import pg from "pg"
import { open } from "../../../dist/src/index.js"
import type { Bench, Measure } from "../bench.ts"
import { TIDEMARK } from "../contenders.ts"
import { figure } from "../figure.ts"
import { median } from "../quantile.ts"

const LOOK_MS = 5

const keeper = async (database: string): Promise<ChildProcess> => {
  const child = fork(new URL("../keeper-process.js", import.meta.url), [database], {
    stdio: ["ignore", 2, 2, "ipc"]
  })
  await once(child, "message")
  return child
}

const ended = async (child: ChildProcess, how: () => void): Promise<void> => {
  const exit = once(child, "exit")
  how()
  await exit
}

const isOwned = async (client: pg.Client, pid: number | undefined): Promise<boolean> => {
  const { rowCount } = await client.query(
    "select from tidemark.projections left join tidemark.engines on engine = owner where pid is distinct from $1",
    [pid]
  )
  return rowCount === 0
}

const heartbeats = async (client: pg.Client): Promise<number> => {
  const { rows } = await client.query<{ count: number }>(
    "select count(*)::integer from tidemark.agent_heartbeats"
  )
  return rows[0]?.count ?? 0
}

const until = async (isSo: () => Promise<boolean>): Promise<void> => {
  while (!(await isSo())) await pause(LOOK_MS)
}

/** Milliseconds from kill -9 of the process that folds the read models until another has folded what was emitted after it. */
const turn = async (database: string): Promise<number> => {
  await using writer = await open({ database, logger: false, readModels: "follow" })
  const client = new pg.Client({ connectionString: database })
  await client.connect()
  const owner = await keeper(database)
  await until(() => isOwned(client, owner.pid))
  const successor = await keeper(database)
  const before = await heartbeats(client)
  const began = performance.now()
  await ended(owner, () => owner.kill("SIGKILL"))
  await writer.heartbeats.record({ agent: "a-1" })
  await until(async () => (await heartbeats(client)) > before)
  const took = performance.now() - began
  await ended(successor, () => successor.disconnect())
  await client.end()
  return took
}

export const takeover: Measure = {
  figures: ["takeover.ms"],
  run: async (bench: Bench) => {
    const database = await bench.server.createDatabase(TIDEMARK)
    try {
      await (await open({ database, logger: false })).close()
      const turns: Array<number> = []
      for (let round = 1; round <= bench.rounds; round += 1) turns.push(await turn(database))
      return [figure("takeover.ms", "ms", median(turns))]
    } finally {
      await bench.server.dropDatabase(database)
    }
  }
}
