import type { TestDatabase } from "../../support/database.ts"
import { until } from "../../support/eventually.ts"
import { connected } from "../../support/admin.ts"
import type { Engine } from "../../../src/index.ts"

/** How many positions a telemetry partition takes. */
export const WIDTH = 10_000_000

const DAY_MS = 86_400_000

type Database = Pick<TestDatabase, "url">
type Queried = Pick<TestDatabase, "query">

/** Has telemetry up to a position been recorded so many days earlier than it was. Tests cannot wait for a month. */
export const age = (db: Database, upTo: number, days: number): Promise<void> =>
  connected(db.url, async (client) => {
    await client.query("set session_replication_role = replica")
    await client.query(
      "update tidemark.telemetry set recorded_at = recorded_at - make_interval(days => $2) where position <= $1",
      [upTo, days]
    )
  })

/** Has the next event lie in another part of the log. */
export const leap = (db: Database, part: number): Promise<void> =>
  connected(db.url, async (client) => {
    await client.query("select setval('tidemark.log_position', $1)", [part * WIDTH + 10])
  })

/** The hour in which everything of the fleet was measured: none that a test can see the end of. */
export const measuredAt = (minute: number): Date => new Date(Date.now() - 50 * DAY_MS + minute * 60_000)

/** What a small fleet tells: beats, measurements, and system events of each class. The position of the last one. */
export const tell = async (engine: Engine, rounds: number): Promise<number> => {
  let position = 0
  for (let round = 0; round < rounds; round++) {
    for (const agent of ["a", "b"]) {
      await engine.heartbeats.record({ agent, state: `round ${round}` })
      await engine.metrics.record([
        { agent, name: "cpu", value: round / 10, occurredAt: measuredAt(round) },
        { agent, name: "rss", value: -round, occurredAt: measuredAt(round * 40) }
      ])
    }
    await engine.systemEvents.log({ type: "Looked", severity: "INFO", data: { round } })
    ;({ position } = await engine.systemEvents.log({ type: "Failed", severity: "ERROR", data: { round } }))
  }
  return position
}

/** Waits until every read model has come past a position: one that has nothing to do writes down only now and then where it is. */
export const allPast = (db: Queried, position: number): Promise<unknown> =>
  until(async () => {
    const [row] = await db.query<{ least: string }>("select min(position) as least from tidemark.projections")
    return Number(row!.least) >= position
  })

/** How many rows each of the read models of telemetry has. */
export const rowsOf = async (db: Queried) => {
  const [row] = await db.query<Record<string, number>>(
    `select
       (select count(*) from tidemark.agent_heartbeats)::integer as beats,
       (select count(*) from tidemark.performance_metrics)::integer as measurements,
       (select count(*) from tidemark.metric_minutes)::integer as minutes,
       (select coalesce(sum(count), 0) from tidemark.metric_hours)::integer as summed,
       (select count(*) filter (where is_telemetry) from tidemark.system_events)::integer as logged,
       (select count(*) filter (where not is_telemetry) from tidemark.system_events)::integer as kept`
  )
  return row!
}
