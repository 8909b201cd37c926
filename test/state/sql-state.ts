import { expect } from "vitest"
import type { EngineState } from "../../src/engine/states.ts"
import type { TestLog } from "../log/test-log.ts"

type Row = Record<string, unknown>

/** A state as SQL tells it, in the library's words. */
const told = (row: Row) => ({
  agent: row["agent"],
  branch: row["branch"],
  version: Number(row["version"]),
  local: row["local_state"],
  shared: row["shared_state"],
  session: row["session_state"],
  persistent: row["persistent_state"],
  hash: row["state_hash"]
})

interface Made {
  readonly checkpoint: string
  readonly version: string
  readonly position: string
  readonly [column: string]: unknown
}

interface Restored {
  readonly agent: string
  readonly branch: string
  readonly version: string
  readonly state_hash: string
  readonly changed: ReadonlyArray<string>
  readonly [column: string]: unknown
}

/** The functions that read states, and that append to them. */
export const inSql = (log: TestLog) => {
  const { db } = log
  const ask = async (sql: string, params: ReadonlyArray<unknown>) =>
    (await db.query<Row>(`select * from tidemark.${sql}`, params)).map(told)
  return {
    current: (agent: string, branch = "main") => ask("get_current_state($1, $2)", [agent, branch]),
    atVersion: (agent: string, version: number | null, branch = "main") =>
      ask("get_state_at_version($1, $2, $3)", [agent, version, branch]),
    atTime: (agent: string, time: Date | string | null, branch = "main") =>
      ask("get_state_at_time($1, $2, $3)", [agent, time, branch]),
    checkpoint: async (args: string, params: ReadonlyArray<unknown> = []) => {
      const sql = `select * from tidemark.create_state_checkpoint(${args})`
      return (await db.query<Made>(sql, params))[0]!
    },
    restore: async (id: string, merge = false) => {
      await db.query("select tidemark.wake()")
      return db.query<Restored>("select * from tidemark.restore_state_checkpoint($1, $2)", [id, merge])
    },
    /** The library finds a branch as it was written, and as the log has it. */
    sound: async (agent: string, branch = "main") => {
      const verified = await log.engine.state(agent, { branch }).verify()
      expect(verified).toMatchObject({ isSound: true, stale: [] })
    }
  }
}

/** What the library reads, as the functions tell it. */
export const snapshot = async (
  state: EngineState,
  ref: { readonly version?: number; readonly time?: Date } = {}
) => {
  const { token: _, ...values } = await state.read(ref)
  return values
}

/** The version of a branch's stream, whoever has the name. */
export const headOf = async ({ db }: TestLog, agent: string, branch = "main"): Promise<number> => {
  const [row] = await db.query<{ version: string }>("select tidemark.stream_version($1) as version", [
    `state-${branch}@${agent}`
  ])
  return Number(row!.version)
}
