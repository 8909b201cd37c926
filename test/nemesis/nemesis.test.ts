import { setTimeout as pause } from "node:timers/promises"
import { afterAll, beforeAll, expect, test } from "vitest"
import { open } from "../../src/index.ts"
import { wholeLog } from "../faults/scene.ts"
import { connected } from "../support/admin.ts"
import type { Cluster } from "../support/cluster.ts"
import { until } from "../support/eventually.ts"
import { random, seedFor } from "../support/random.ts"
import { privateServer } from "../support/server.ts"
import { fates } from "./fates.ts"
import { type Effect, violations } from "./judge.ts"
import { Members } from "./members.ts"

// Five processes that emit and handle together, while they are killed, paused and cut off, and their server with them. In the end
// a checker that knows only what they said, and what lies in the tables, looks for what is lost, doubled or out of order.

const MS_PER_MINUTE = 60_000
const minutes = Number(process.env["TIDEMARK_NEMESIS_MINUTES"] ?? 2)

const LEASE_MS = 1_500
const LONGEST_PEACE_MS = 2_500
/** How long the fleet may need in the end to handle what is left, on a machine that has much else to do. */
const SETTLES_MS = 120_000

let server: Cluster
beforeAll(async () => {
  server = await privateServer()
})
afterAll(() => server.remove())

const rows = <Row extends object>(sql: string): Promise<ReadonlyArray<Row>> =>
  connected(server.url, async (client) => (await client.query<Row>(sql)).rows)

/** Whether both subscriptions have handled everything. */
const isHandled = async (): Promise<boolean> => {
  const [left] = await rows<{ behind: number; held: number }>(
    `select
       (select count(*)::integer from tidemark.subscription_cursors
        where position < (select max(position) from tidemark.log_events where stream like 'order-%')) as behind,
       (select count(*)::integer from tidemark.held_events) as held`
  )
  return left!.behind === 0 && left!.held === 0
}

test(
  `for ${minutes} minutes, nothing is lost, doubled or out of order`,
  { timeout: minutes * MS_PER_MINUTE + 5 * MS_PER_MINUTE },
  async () => {
    const seed = seedFor("nemesis")
    const choices = random(seed)
    await (await open({ database: server.url, logger: false })).close()
    await rows(
      "create table effects (row bigserial primary key, position bigint, stream text, version bigint)"
    )
    await using members = new Members({
      database: server.url,
      size: 5,
      callers: 3,
      streams: 40,
      leaseMs: LEASE_MS,
      random: choices
    })
    await members.startAll()
    const befallen = new Map<string, number>()
    const coming = fates(choices)
    const ends = performance.now() + minutes * MS_PER_MINUTE
    while (performance.now() < ends) {
      await pause(choices.between(0, LONGEST_PEACE_MS))
      const what = await coming.next().value({ members, server, random: choices, leaseMs: LEASE_MS })
      const kind = what.replaceAll(/\d+/g, "n")
      befallen.set(kind, (befallen.get(kind) ?? 0) + 1)
    }
    members.stopEmitting()
    await until(isHandled, { within: SETTLES_MS, what: "everything to be handled" })
    const log = (await wholeLog(server.url)).filter(({ stream }) => stream.startsWith("order-"))
    const effects = await rows<Effect>(
      "select position::float8 as position, stream, version::float8 as version from effects order by row"
    )
    const { said } = members
    const takeovers = await rows<{ count: number }>(
      "select sum(epoch - 1)::integer as count from tidemark.subscription_cursors"
    )
    console.info(
      `nemesis: ${log.length} events, ${said.filter((one) => "ends" in one).length} handlings, ${takeovers[0]!.count} claims; ` +
        [...befallen].map(([kind, count]) => `${count} × ${kind}`).join(", ")
    )
    // Peace would prove nothing.
    expect(log.length).toBeGreaterThan(100 * minutes)
    expect(befallen.size).toBeGreaterThan(3)
    expect(violations({ said, log, effects })).toEqual([])
  }
)
