import { Effect, Exit, Layer, Logger, ManagedRuntime, Scope } from "effect"
import { randomUUID } from "node:crypto"
import { describe, expect, test } from "vitest"
import { Consumers } from "../../src/consumer/consumers.ts"
import { logLayer } from "../../src/engine/layers.ts"
import { Fleet } from "../../src/fleet/fleet.ts"
import { statement } from "../../src/postgres/sql-file.ts"
import { until } from "../support/eventually.ts"
import { consumerLog, isThrough, noting, own } from "./scene.ts"

// An owner that was not heard of in time may have a successor: when it is heard of again, it has to look before it goes on.

const log = consumerLog()

const LEASE_MS = 800

/** A statement about this table waits for a lock. */
const isWaiting = (table: string) =>
  until(
    async () => {
      const waiting = await log.db.query(
        "select from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database() and query like '%' || $1 || '%'",
        [table]
      )
      return waiting.length > 0
    },
    { what: `a statement to wait for ${table}` }
  )

/** Holds a lock until it is told to let go. */
const holding = async (sql: string, params?: ReadonlyArray<unknown>) => {
  const session = await log.session()
  await session.query("begin")
  await session.query(sql, params)
  return () => session.query("rollback")
}

/** An engine's consumers, of which a test says whether they are heard of, and which hear nothing of the fleet from then on. */
const hardOfHearing = async () => {
  let isDeaf = false
  let since: number | undefined
  const muffled = Layer.effect(
    Fleet,
    Effect.map(Fleet, (fleet) => ({
      ...fleet,
      sureSince: () => (isDeaf ? since : fleet.sureSince()),
      watch: (post, onLook) => fleet.watch(post, (look) => isDeaf || onLook(look))
    }))
  )
  const runtime = ManagedRuntime.make(
    Layer.provideMerge(
      Layer.provide(Consumers.layer(), muffled),
      Layer.provideMerge(logLayer({ database: log.db.url }, {}), Logger.layer([]))
    )
  )
  const scope = Scope.makeUnsafe()
  return {
    run: <A, E>(effect: Effect.Effect<A, E, Consumers | Scope.Scope>) =>
      runtime.runPromise(Effect.provideService(effect, Scope.Scope, scope)),
    isHeardOf: (isHeard: boolean) => {
      isDeaf = true
      since = isHeard ? performance.now() : undefined
    },
    [Symbol.asyncDispose]: async () => {
      await runtime.runPromise(Scope.close(scope, Exit.void))
      await runtime.dispose()
    }
  }
}

const isAlive = async (engine: string) =>
  (
    await log.db.query("select from tidemark.engines where engine = $1 and alive_until > clock_timestamp()", [
      engine
    ])
  ).length === 1

describe("an engine that was not heard of for its lease, and is heard of again", () => {
  test("hands over nothing on what it saw of a partition before that", async () => {
    const { name, categories } = log.fresh()
    await using fleet = await hardOfHearing()
    const heard = noting()
    const member = await fleet.run(
      Effect.flatMap(Consumers, ({ subscribe }) => subscribe({ name, categories }, heard.handler))
    )
    await until(() => member.partitions().length === 1)
    fleet.isHeardOf(false)
    const allowSeeing = await holding("lock table held_events in access exclusive mode")
    await log.emit(`${categories[0]}-a`, 1)
    // With something to do it has looked: the partition is its own yet; what is held in it, it is not told.
    await isWaiting("with recursive held as")
    await log.db.query(
      "update tidemark.subscription_cursors set owner = $2, epoch = epoch + 1 where subscription = $1",
      [name, randomUUID()]
    )
    fleet.isHeardOf(true)
    await allowSeeing()
    await log.emit(`${categories[0]}-a`, 2)
    await until(() => member.partitions().length === 0)
    expect(heard.items).toEqual([])
  })

  test("goes on where nobody took its place", async () => {
    const { name, categories } = log.fresh()
    const engine = await log.open({ leaseMs: LEASE_MS })
    const heard = noting()
    const member = await engine.subscribe({ name, categories }, heard.handler)
    await own([member], [1])
    const [row] = await log.db.query<{ owner: string; epoch: number }>(
      "select owner, epoch from tidemark.subscription_cursors where subscription = $1",
      [name]
    )
    const allowSigns = await holding("select from engines where engine = $1 for update", [row!.owner])
    await until(async () => !(await isAlive(row!.owner)))
    const [position] = await log.emit(`${categories[0]}-a`, 1)
    await allowSigns()
    await isThrough(engine, name, position!)
    expect(heard.items).toEqual(["a1"])
    const [after] = await log.db.query(
      "select owner, epoch from tidemark.subscription_cursors where subscription = $1",
      [name]
    )
    expect(after).toEqual(row)
    await member.stop()
  })
})

describe("a claim", () => {
  const scene = async () => {
    const { name, categories } = log.fresh()
    const member = await log.engine.subscribe({ name, categories }, () => undefined)
    await member.stop()
    const owner = randomUUID()
    await log.db.query(
      `insert into tidemark.engines (engine, application, host, pid, alive_until)
       values ($1, 'test', 'here', 1, clock_timestamp() - interval '1 second')`,
      [owner]
    )
    await log.db.query("update tidemark.subscription_cursors set owner = $2 where subscription = $1", [
      name,
      owner
    ])
    const { text } = statement("claim_partitions", "tidemark")
    const sign =
      "update tidemark.engines set alive_until = clock_timestamp() + interval '1 minute' where engine = $1"
    return { owner, sign, claim: [text, [name, await log.joined(name), 1, []]] as const }
  }

  test("takes nothing from an owner whose sign of life is on its way", async () => {
    const { owner, sign, claim } = await scene()
    const signing = await log.session()
    await signing.query("begin")
    await signing.query(sign, [owner])
    expect(await log.db.query(...claim)).toEqual([])
    await signing.query("rollback")
    expect(await log.db.query(...claim)).toHaveLength(1)
  })

  test("is there for its former owner to see before that is heard of again", async () => {
    const { owner, sign, claim } = await scene()
    const claiming = await log.session()
    await claiming.query("begin")
    expect(await claiming.query(...claim)).toHaveLength(1)
    const signed = log.db.query(sign, [owner])
    await isWaiting("alive_until = clock_timestamp() + interval")
    await claiming.query("commit")
    await signed
  })

  test("is no other's to wait for: what it left is claimed beside it", async () => {
    const { name, categories } = log.fresh()
    const member = await log.engine.subscribe({ name, categories, partitions: 2 }, () => undefined)
    await member.stop()
    const gone = randomUUID()
    await log.db.query(
      `insert into tidemark.engines (engine, application, host, pid, alive_until)
       values ($1, 'test', 'here', 1, clock_timestamp() - interval '1 second')`,
      [gone]
    )
    await log.db.query("update tidemark.subscription_cursors set owner = $2 where subscription = $1", [
      name,
      gone
    ])
    const { text } = statement("claim_partitions", "tidemark")
    const claiming = await log.session()
    await claiming.query("begin")
    expect(await claiming.query(text, [name, await log.joined(name), 1, []])).toMatchObject([
      { partition: 0 }
    ])
    expect(await log.db.query(text, [name, await log.joined(name), 1, []])).toMatchObject([{ partition: 1 }])
    await claiming.query("commit")
  })

  test("is nothing for an engine that has left, though it asked before", async () => {
    const { name, categories } = log.fresh()
    const member = await log.engine.subscribe({ name, categories }, () => undefined)
    await member.stop()
    const { text } = statement("claim_partitions", "tidemark")
    const engine = await log.joined(name)
    const leaving = await log.session()
    await leaving.query("begin")
    await leaving.query(statement("leave_subscription", "tidemark").text, [name, engine])
    const claimed = log.db.query(text, [name, engine, 1, []])
    await isWaiting("subscription_members")
    await leaving.query("commit")
    expect(await claimed).toEqual([])
  })
})
