import { expect, test } from "vitest"
import { testLog } from "../log/test-log.ts"
import { until } from "../support/eventually.ts"

// A list whose filters may be left out is found by an index, however often it was asked without them.

const log = testLog()

const BEATS = 100_000

/** After so many times PostgreSQL may go over to one plan for all values. */
const TIMES = 20

interface Reads {
  readonly scans: number
  readonly rows: number
}

const reads = async (): Promise<Reads> => {
  const [found] = await log.db.query(
    `select sum(idx_scan)::float8 as scans, sum(idx_tup_read)::float8 as rows
     from pg_stat_user_indexes where relname = 'agent_heartbeats__1'`
  )
  return found as unknown as Reads
}

test("the beats of one agent among many are read alone, though all were asked for before", async () => {
  const { heartbeats } = log.engine
  await heartbeats.recent()
  await log.db.query(
    `insert into tidemark.agent_heartbeats__1 (id, agent_id, timestamp, created_at, recorded_at)
     select n, 'a' || n % 1000, now() - n * interval '0.1 second', now(), now() from generate_series(1, ${BEATS}) n`
  )
  await log.db.query("analyze tidemark.agent_heartbeats__1")
  for (let nth = 0; nth < TIMES; nth++) await heartbeats.recent({ limit: 10 })
  const before = await reads()
  for (let nth = 0; nth < TIMES; nth++)
    expect(await heartbeats.recent({ agent: "nobody", minutes: 10_000 })).toEqual([])
  // Statistics come in with the next statement, a second later at the earliest.
  const after = await until(async () => {
    await heartbeats.recent({ agent: "nobody", minutes: 10_000 })
    const now = await reads()
    return now.scans >= before.scans + TIMES ? now : undefined
  })
  expect(after.rows - before.rows).toBeLessThan(BEATS / 10)
})
