import { randomUUID } from "node:crypto"
import { describe, expect, test } from "vitest"
import { DEFAULT_LEASE_MS } from "../../src/fleet/fleet.ts"
import { statement } from "../../src/postgres/sql-file.ts"
import { collector, until } from "../support/eventually.ts"
import { consumerLog, own } from "./scene.ts"

// Where the streams of a subscription are about to be dealt anew, and every partition has come to where all of them stop, the deal goes
// first: events that are to be tried again would hold it up for as long as they fail.

const log = consumerLog()

/** How long the owner of the other partition is taken for alive, in ms: longer than a test takes. */
const OWNER_LIVES_MS = 60_000

const alive = async (): Promise<string> => {
  const engine = randomUUID()
  await log.db.query(
    `insert into tidemark.engines (engine, application, host, pid, alive_until)
     values ($1, 'other', 'elsewhere', 1, clock_timestamp() + $2 * interval '1 ms')`,
    [engine, OWNER_LIVES_MS]
  )
  return engine
}

/**
 * A subscription of two partitions, about to be dealt into three, both of which have come to where they stop. Of one, an event is to be
 * tried again by now; the other belongs to an engine.
 */
const aboutToBeDealt = async () => {
  const { name, categories } = log.fresh()
  const one = { name, categories, partitions: 2 }
  const member = await log.engine.subscribe(one, () => undefined)
  await member.stop()
  const stream = `${categories[0]}-a`
  const [position] = await log.emit(stream, 1)
  const [row] = await log.db.query<{ due: number }>("select tidemark.partition_of($1, 2) as due", [stream])
  const due = row!.due
  await log.db.query(
    `insert into tidemark.held_events (subscription, position, partition, stream, type, state, attempts, due_at)
     values ($1, $2, $3, $4, 'Numbered', 'retrying', 1, clock_timestamp())`,
    [name, position, due, stream]
  )
  await log.db.query("update tidemark.subscriptions set next_partitions = 3, next_at = $2 where name = $1", [
    name,
    position
  ])
  await log.db.query("update tidemark.subscription_cursors set position = $2 where subscription = $1", [
    name,
    position
  ])
  const other = (set: string, values: ReadonlyArray<unknown> = []) =>
    log.db.query(
      `update tidemark.subscription_cursors set ${set} where subscription = $1 and partition <> $2`,
      [name, due, ...values]
    )
  const owner = await alive()
  await other("owner = $3", [owner])
  const claim = async (): Promise<ReadonlyArray<number>> => {
    const rows = await log.db.query<{ partition: number }>(statement("claim_partitions", "tidemark").text, [
      name,
      await log.joined(name),
      2,
      []
    ])
    return rows.map(({ partition }) => partition).toSorted()
  }
  return { one, due, other, claim }
}

describe("a partition that has nothing to do until a deal but to try events again is claimed", () => {
  test("by nobody where all have come that far: whoever owns one yet is about to deal", async () => {
    const { claim } = await aboutToBeDealt()
    expect(await claim()).toEqual([])
  })

  test("where another is behind, which may take long", async () => {
    const { claim, other, due } = await aboutToBeDealt()
    await other("position = position - 1")
    expect(await claim()).toEqual([due])
  })

  test("where another has stopped, which holds up the deal", async () => {
    const { claim, other, due } = await aboutToBeDealt()
    await other("state = 'stopped', owner = null")
    expect(await claim()).toEqual([due])
  })

  test("where nobody owns one: whoever does claims to deal", async () => {
    const { claim, other } = await aboutToBeDealt()
    await other("owner = null")
    expect(await claim()).toEqual([0, 1])
  })
})

test("what is due is tried again after the deal that it waited for", async () => {
  const { one } = await aboutToBeDealt()
  const dealt = collector<number>()
  const member = await log.engine.subscribe(one, async () => {
    const [row] = await log.db.query<{ partitions: number }>(
      "select partitions from tidemark.subscriptions where name = $1",
      [one.name]
    )
    dealt.push(row!.partitions)
  })
  // It has looked since it joined, and found nothing to claim.
  await until(async () => {
    const looked = await log.db.query(
      `select from tidemark.subscription_members join tidemark.engines using (engine)
       where subscription = $1 and alive_until > joined_at + $2 * interval '1 ms'`,
      [one.name, DEFAULT_LEASE_MS]
    )
    return looked.length === 1
  })
  // The last to come leaves, and deals, before anybody sees that.
  await using last = await log.session()
  await last.query("begin")
  await last.query("update subscription_cursors set owner = null where subscription = $1", [one.name])
  await last.query(statement("deal_subscription", "tidemark").text, [one.name])
  await last.query("commit")
  expect(await dealt.reaches(1)).toEqual([3])
  await own([member], [3])
  await member.stop()
})
