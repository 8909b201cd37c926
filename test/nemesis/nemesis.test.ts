import { setTimeout as pause } from "node:timers/promises"
import { afterAll, beforeAll, expect, test } from "vitest"
import { open } from "../../src/index.ts"
import { wholeLog } from "../faults/scene.ts"
import { connected } from "../support/admin.ts"
import type { Cluster } from "../support/cluster.ts"
import { random, seedFor } from "../support/random.ts"
import { privateServer } from "../support/server.ts"
import { fates } from "./fates.ts"
import { type Effect, type Total, violations } from "./judge.ts"
import { Members } from "./members.ts"

// Five processes that emit and handle together, while they are killed, paused and cut off, and their server with them. In the end
// a checker that knows only what they said, and what lies in the tables, looks for what is lost, doubled or out of order.

const MS_PER_MINUTE = 60_000
const minutes = Number(process.env["TIDEMARK_NEMESIS_MINUTES"] ?? 2)

const LEASE_MS = 1_500
const LONGEST_PEACE_MS = 2_500
/** For how long at most nothing comes nearer to its end, in ms, on a machine that has much else to do: then it stands still. */
const STANDS_STILL_MS = 60_000
const LOOK_MS = 500

let server: Cluster
beforeAll(async () => {
  server = await privateServer()
})
afterAll(() => server.remove())

const rows = <Row extends object>(sql: string): Promise<ReadonlyArray<Row>> =>
  connected(server.url, async (client) => (await client.query<Row>(sql)).rows)

interface Left {
  /** In words; empty where nothing is. */
  readonly what: string
  /** How far all cursors are together, and how much is held: it changes as long as anything goes on. */
  readonly place: string
}

/** What is not handled, or not folded, yet. */
const left = async (): Promise<Left> => {
  const [found] = await rows<Left>(
    `with head as (select max(position) as position from tidemark.log_events where stream like 'order-%')
     select
       concat_ws(', ',
         (select nullif(count(*), 0) || ' cursors' from tidemark.subscription_cursors, head where subscription_cursors.position < head.position),
         (select nullif(count(*), 0) || ' held events' from tidemark.held_events),
         (select string_agg(name || ' parked', ', ') from tidemark.subscriptions
          where exists (select from tidemark.held_events where subscription = name and state = 'parked')),
         (select string_agg(name || ' paused', ', ') from tidemark.subscriptions where state = 'paused'),
         (select nullif(count(*), 0) || ' read models' from tidemark.projections, head
          where name in ('folded', 'totals') and projections.position < head.position)
       ) as what,
       concat_ws(' ',
         (select sum(position) from tidemark.subscription_cursors),
         (select count(*) || ' ' || sum(attempts) from tidemark.held_events),
         (select sum(position) from tidemark.projections where name in ('folded', 'totals'))
       ) as place`
  )
  return found!
}

/** What was paused goes on, what was parked is tried again, and so on until nothing is left. */
const finish = async (members: Members): Promise<void> => {
  await members.stopEmitting()
  let place = ""
  let movedAt = performance.now()
  for (;;) {
    const now = await left()
    if (now.what === "") return
    if (now.place !== place) movedAt = performance.now()
    place = now.place
    if (performance.now() - movedAt > STANDS_STILL_MS)
      throw new Error(`nothing has moved for ${STANDS_STILL_MS} ms: ${now.what}; ${place}`)
    for (const name of ["plain", "exact"] as const) {
      if (now.what.includes(`${name} paused`)) await members.ask(0, { verb: "resume", name })
      if (now.what.includes(`${name} parked`)) await members.ask(0, { verb: "retry", name })
    }
    await pause(LOOK_MS)
  }
}

/** What came of events, as a query tells it. */
const effects = (from: string): Promise<ReadonlyArray<Effect>> =>
  rows<Effect>(`select position::float8 as position, stream, version::float8 as version from ${from}`)

test(
  `for ${minutes} minutes, nothing is lost, doubled or out of order`,
  { timeout: minutes * MS_PER_MINUTE * 2 + 5 * MS_PER_MINUTE },
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
    const attackedUntil = performance.now()
    await finish(members)
    const finishedAfter = Math.round((performance.now() - attackedUntil) / 1_000)
    const log = (await wholeLog(server.url)).filter(({ stream }) => stream.startsWith("order-"))
    const written = await effects("(select * from effects order by row) effects")
    const emitted = await effects(
      `(select (data ->> 'position')::bigint as position, data ->> 'stream' as stream, (data ->> 'version')::bigint as version
        from tidemark.log_events where stream like 'invoice-%' order by log_events.position) invoices`
    )
    const folded = await effects("tidemark.folded")
    const totals = await rows<Total>(
      "select stream, events, last, sum::float8 as sum from tidemark.totals order by stream"
    )
    const { said } = members
    console.info(
      `nemesis: ${log.length} events, ${said.filter((one) => "ends" in one).length} handlings, finished after ${finishedAfter} s; ` +
        [...befallen].map(([kind, count]) => `${count} × ${kind}`).join(", ")
    )
    // Peace would prove nothing.
    expect(log.length).toBeGreaterThan(100 * minutes)
    expect(befallen.size).toBeGreaterThan(3)
    expect(violations({ said, log, written, emitted, folded, totals })).toEqual([])
  }
)
