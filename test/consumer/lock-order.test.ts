import { setTimeout as pause } from "node:timers/promises"
import { beforeAll, describe, expect, test } from "vitest"
import type { DurableSubscription, Engine } from "../../src/index.ts"
import { open } from "../../src/index.ts"
import { statement } from "../../src/postgres/sql-file.ts"
import { openSession, upTo } from "../log/test-log.ts"
import { testDatabase } from "../support/database.ts"
import { until } from "../support/eventually.ts"
import { random, seedFor } from "../support/random.ts"
import { numberOf, SOON } from "./scene.ts"

// Everything that locks rows of subscriptions does so in one order: the subscription, its cursors by partition, held events by
// position, engines, members, the highest ended epoch. Who waits in that order is never one of two who wait for each other.

const db = testDatabase()

const PARTITIONS = 8
const SUBSCRIPTIONS = 2
const LASTS_MS = 4_000

const engines: Array<Engine> = []

beforeAll(async () => {
  for (const _ of upTo(4)) engines.push(await open({ database: db.url, logger: false }))
  return () => Promise.all(engines.map((engine) => engine.close()))
})

const textOf = (query: string): string => statement(query, "tidemark").text

const ENGINES = upTo(3).map((n) => `00000000-0000-7000-8000-00000000000${n}`)
let made = 0

/** A subscription of three partitions, about to be dealt anew, of three members who are gone, with three parked events. */
const makeSubscription = async (): Promise<string> => {
  const name = `locked-${(made += 1)}`
  const [first] = ENGINES
  await db.query(
    `insert into tidemark.subscriptions (name, filter, partitions, next_partitions, next_at) values ($1, '{}', 3, 2, 10)`,
    [name]
  )
  await db.query(
    `insert into tidemark.subscription_cursors (subscription, partition, position, owner)
     select $1, part, 10, $2::uuid from generate_series(0, 2) part`,
    [name, first]
  )
  await db.query(
    `insert into tidemark.held_events (subscription, position, partition, stream, type, state, attempts)
     select $1, n, n - 1, 'a-' || n, 'Numbered', 'parked', 1 from generate_series(1, 3) n`,
    [name]
  )
  await db.query(
    `insert into tidemark.engines (engine, application, host, pid, alive_until)
     select engine, 'gone', 'nowhere', 1, clock_timestamp() - interval '1 day' from unnest($1::uuid[]) engine
     on conflict do nothing`,
    [ENGINES]
  )
  await db.query(
    "insert into tidemark.subscription_members (subscription, engine) select $1, engine from unnest($2::uuid[]) engine",
    [name, ENGINES]
  )
  // In the table, what is to be locked first lies last.
  await db.query(
    "update tidemark.subscription_cursors set error = null where subscription = $1 and partition = 0",
    [name]
  )
  await db.query("update tidemark.held_events set attempts = 2 where subscription = $1 and position = 1", [
    name
  ])
  await db.query(
    "update tidemark.subscription_members set joined_at = joined_at where subscription = $1 and engine = $2",
    [name, first]
  )
  return name
}

type Rows = readonly [first: string, others: string]
const cursors: Rows = ["subscription_cursors where partition = 0", "subscription_cursors where partition > 0"]
const held: Rows = ["held_events where position = 1", "held_events where position > 1"]
const members: Rows = [
  `subscription_members where engine = '${ENGINES[0]}'`,
  `subscription_members where engine <> '${ENGINES[0]}'`
]

describe("rows are locked from the first to the last, and cursors before held events before members, by", () => {
  test.each<
    readonly [query: string, what: string, rows: Rows, values: (name: string) => ReadonlyArray<unknown>]
  >([
    ["deal_subscription", "held events", held, (name) => [name]],
    ["rewind_subscription", "held events", held, (name) => [name, 0]],
    ["retry_held", "held events", held, (name) => [name, null]],
    ["drop_held", "held events", held, (name) => [name, null, 500]],
    ["delete_subscription", "held events", held, (name) => [name]],
    ["delete_subscription", "held events, then members", [held[0], members[1]], (name) => [name]],
    ["delete_subscription", "members", members, (name) => [name]],
    ["sweep_engines", "members", members, () => [3_600_000]]
  ])("%s: %s", async (query, _, [first, others], values) => {
    const name = await makeSubscription()
    await using holder = await openSession(db.url)
    await using locker = await openSession(db.url)
    const rowsOf = (some: string, how: string) =>
      `select from tidemark.${some} and subscription = '${name}' for update ${how}`
    await holder.query("begin")
    await holder.query(rowsOf(first, ""))
    await locker.query("begin")
    // The planner may take any plan; this is the one that finds rows in the order that they lie in.
    await locker.query("set enable_indexscan = off; set enable_bitmapscan = off")
    const locking = locker.query(textOf(query), values(name))
    await until(
      async () =>
        (await db.query("select from pg_locks where pid = $1 and not granted", [locker.pid])).length > 0
    )
    await holder.query(rowsOf(others, "nowait"))
    await holder.query("commit")
    await locking
    await locker.query("rollback")
    await db.query("delete from tidemark.subscription_members where subscription = $1", [name])
  })
})

test("a deletion locks the highest ended epoch last: what it waits for itself, other deletions do not wait for", async () => {
  const name = await makeSubscription()
  await using holder = await openSession(db.url)
  await using deleter = await openSession(db.url)
  await holder.query("begin")
  await holder.query(`select from ${members[0]} and subscription = '${name}' for update`)
  const deleting = deleter.query(textOf("delete_subscription"), [name])
  await until(
    async () =>
      (await db.query("select from pg_locks where pid = $1 and not granted", [deleter.pid])).length > 0
  )
  await holder.query("select from ended_epochs for update nowait")
  await holder.query("commit")
  await deleting
})

test("who leaves waits for no cursor, and comes again for those that were not free", async () => {
  const name = await makeSubscription()
  await using holder = await openSession(db.url)
  await holder.query("begin")
  await holder.query(`select from ${cursors[0]} and subscription = '${name}' for update`)
  const leave = () => db.query(textOf("release_partitions"), [name, ENGINES[0]])
  expect(await leave()).toEqual([{ kept: 1 }])
  const owned =
    "select partition from tidemark.subscription_cursors where subscription = $1 and owner is not null"
  expect(await db.query(owned, [name])).toEqual([{ partition: 0 }])
  await holder.query("commit")
  expect(await leave()).toEqual([{ kept: 0 }])
  expect(await db.query(owned, [name])).toEqual([])
})

/** What is allowed to go wrong while somebody else changes the same subscription. */
const EXPECTED = new Set(["NotParked", "SubscriptionDeleted", "UnknownSubscription", "AlreadySubscribed"])

test("verbs, claims, members that come and go, and engines that leave never wait for each other in a ring", async () => {
  const { between, chance, oneOf } = random(seedFor("lock order"))
  const names = upTo(SUBSCRIPTIONS).map((n) => `ordered-${n}`)
  const endsAt = performance.now() + LASTS_MS
  const failures: Array<unknown> = []
  const tried = async (work: () => Promise<unknown>) => {
    try {
      await work()
    } catch (error) {
      if (!EXPECTED.has((error as { _tag: string })._tag)) failures.push(error)
    }
  }
  const options = (name: string) => ({
    name,
    from: "start" as const,
    categories: ["ordered"],
    partitions: PARTITIONS,
    retry: { ...SOON, attempts: 1 }
  })
  const subscribe = (engine: Engine, name: string): Promise<DurableSubscription> =>
    engine.subscribe({ ...options(name), transactional: true }, async (event, { tx }) => {
      await tx.query("select 1")
      if (numberOf(event) % 7 === 0 && chance(0.5)) throw new Error("no")
    })
  const writing = async () => {
    for (let n = 1; performance.now() < endsAt; n += 1) {
      await engines[0]!.emit(`ordered-s${between(1, 20)}`, { type: "Numbered", data: { n } })
      await pause(between(0, 5))
    }
  }
  const membership = async (engine: Engine) => {
    while (performance.now() < endsAt) {
      const name = oneOf(names)
      await tried(async () => {
        const subscription = await subscribe(engine, name)
        await pause(between(0, 150))
        await subscription.stop()
      })
    }
  }
  const [bury, deal, release] = ["bury_engine", "deal_subscription", "release_partitions"].map(textOf)
  const verbs: ReadonlyArray<(name: string) => Promise<unknown>> = [
    (name) => oneOf(engines).subscription(name).rewind("start"),
    (name) => oneOf(engines).subscription(name).pause(),
    (name) => oneOf(engines).subscription(name).resume(),
    (name) => oneOf(engines).subscription(name).resume(),
    (name) =>
      oneOf(engines)
        .subscription(name)
        .change({ partitions: between(2, PARTITIONS) }),
    (name) => oneOf(engines).subscription(name).retry("all"),
    (name) => oneOf(engines).subscription(name).drop("all", { reason: "by chance" }),
    (name) => (chance(0.3) ? oneOf(engines).subscription(name).delete() : Promise.resolve()),
    // As others do for one that is gone.
    async () => {
      const known = await db.query<{ engine: string }>("select engine from tidemark.engines")
      if (known.length > 0) await db.query(bury!, [oneOf(known).engine])
    },
    async (name) => {
      const known = await db.query<{ engine: string }>("select engine from tidemark.engines")
      if (known.length > 0) await db.query(release!, [name, oneOf(known).engine])
    },
    (name) => db.query(deal!, [name])
  ]
  const meddling = async () => {
    while (performance.now() < endsAt) await tried(() => oneOf(verbs)(oneOf(names)))
  }
  await Promise.all([
    writing(),
    ...engines.map((engine) => membership(engine)),
    ...upTo(4).map(() => meddling())
  ])
  expect(failures).toEqual([])
  // A backend says what it counted when it ends, if not before; owners that meet one try again without a word.
  await Promise.all(engines.map((engine) => engine.close()))
  const counted = await until(async () => {
    const [row] = await db.query<{ deadlocks: string; backends: number }>(
      `select deadlocks, (select count(*)::integer from pg_stat_activity where datname = current_database()
         and application_name = 'tidemark') as backends
       from pg_stat_database where datname = current_database()`
    )
    return row!.backends === 0 && row
  })
  expect(Number(counted.deadlocks)).toBe(0)
}, 60_000)
