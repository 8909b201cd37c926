import { Effect } from "effect"
import { randomUUID } from "node:crypto"
import { describe, expect, test } from "vitest"
import { type Place, Places } from "../../src/consumer/places.ts"
import { Postgres } from "../../src/postgres/postgres.ts"
import { consumerLog } from "./scene.ts"

// The contract of a lock and of a checkpoint, as it is kept by the row of a partition: who may write, and from where.

const log = consumerLog()
const origin = { id: "log", epoch: 1 }

/** Places of a subscription that nobody works on, asked as engines do. */
const scene = async (partitions = 1) => {
  const { name, categories } = log.fresh()
  const again = async () => {
    const member = await log.engine.subscribe({ name, categories, partitions }, () => undefined)
    await member.stop()
  }
  await again()
  const query = (text: string, values: ReadonlyArray<unknown>) =>
    Effect.promise(async () => {
      const rows = await log.db.query(text, values)
      return { rows, count: rows.length }
    })
  const withConnection = (use: (connection: unknown) => unknown) => use({ query })
  const identity = { isStill: () => Effect.succeed(true) }
  const postgres = { schema: "tidemark", query, withConnection } as unknown as Postgres["Service"]
  const places = new Places(postgres, identity as never)
  const claim = async (engine: string, most = 1) => {
    await log.db.query("insert into tidemark.subscription_members values ($1, $2) on conflict do nothing", [
      name,
      engine
    ])
    return Effect.runPromise(places.claim(name, engine, most, []))
  }
  const claimed = async (engine: string): Promise<Place> => (await claim(engine))[0]!.place
  const keeps = async (place: Place, to: number): Promise<boolean> =>
    Effect.runPromise(Effect.isSuccess(places.keep(place, origin, to, { rate: 0 })))
  const positionOf = async (partition = 0) =>
    (await log.engine.subscription(name).status()).partitions[partition]!.position
  return { name, places, claim, claimed, keeps, positionOf, again }
}

const alive = async (ms = 60_000) => {
  const engine = randomUUID()
  await log.db.query(
    `insert into tidemark.engines (engine, application, host, pid, alive_until)
     values ($1, 'test', 'elsewhere', 1, clock_timestamp() + $2 * interval '1 ms')`,
    [engine, ms]
  )
  return engine
}

const ends = (engine: string) =>
  log.db.query("update tidemark.engines set alive_until = clock_timestamp() where engine = $1", [engine])

describe("the lock on a partition", () => {
  test("is granted to the first who asks, and to nobody else while that one is alive", async () => {
    const { claim } = await scene()
    const [first, second] = [await alive(), await alive()]
    expect(await claim(first)).toHaveLength(1)
    expect(await claim(second)).toEqual([])
  })

  test("is granted after it was released", async () => {
    const { claimed, claim, places } = await scene()
    const [first, second] = [await alive(), await alive()]
    await Effect.runPromise(places.release(await claimed(first)))
    expect(await claim(second)).toHaveLength(1)
  })

  test("of one who crashed is granted when its lease has ended, and not before", async () => {
    const { claim } = await scene()
    const [crashed, next] = [await alive(), await alive()]
    await claim(crashed)
    expect(await claim(next)).toEqual([])
    await ends(crashed)
    expect(await claim(next)).toHaveLength(1)
  })

  test("is granted again to who has it, under a new epoch: what it began under the old one writes nothing", async () => {
    const { claimed, keeps } = await scene()
    const engine = await alive()
    const before = await claimed(engine)
    const again = await claimed(engine)
    expect(again.epoch).toBe(before.epoch + 1)
    expect(await keeps(before, before.position + 1)).toBe(false)
    expect(await keeps(again, again.position + 1)).toBe(true)
  })

  test("is not granted under an epoch that a subscription of the same name had before it was deleted", async () => {
    const { name, claimed, keeps, again } = await scene()
    const engine = await alive()
    const before = await claimed(engine)
    await log.engine.subscription(name).delete()
    await again()
    const after = await claimed(engine)
    expect(after.epoch).toBeGreaterThan(before.epoch)
    expect(await keeps(before, before.position + 1)).toBe(false)
    expect(await keeps(after, after.position + 1)).toBe(true)
  })

  test("that one does not have is released without harm, and without taking it from who has it", async () => {
    const { claimed, keeps, places } = await scene()
    const [owner, other] = [await alive(), await alive()]
    const place = await claimed(owner)
    await Effect.runPromise(places.release({ ...place, owner: other }))
    await Effect.runPromise(places.release({ ...place, epoch: place.epoch - 1 }))
    await Effect.runPromise(places.release({ ...place, name: "of nothing" }))
    expect(await keeps(place, place.position + 1)).toBe(true)
  })

  test("is not stolen from who is at work in a transaction, though its lease has ended", async () => {
    const { name, claim } = await scene()
    const [working, next] = [await alive(), await alive()]
    await claim(working)
    await ends(working)
    await using session = await log.session()
    await session.query("begin")
    await session.query("select from tidemark.subscription_cursors where subscription = $1 for update", [
      name
    ])
    expect(await claim(next)).toEqual([])
    await session.query("rollback")
    expect(await claim(next)).toHaveLength(1)
  })
})

describe("the checkpoint of a partition", () => {
  test("moves from where its owner believes it to be, the first time and every other", async () => {
    const { claimed, keeps, positionOf } = await scene()
    const place = await claimed(await alive())
    expect(await keeps(place, place.position + 5)).toBe(true)
    expect(await keeps({ ...place, position: place.position + 5 }, place.position + 6)).toBe(true)
    expect(await positionOf()).toBe(place.position + 6)
  })

  test.each([
    ["behind", -1],
    ["ahead of", 1]
  ])("that is %s where its owner believes it to be stays where it is", async (_, by) => {
    const { claimed, keeps, positionOf } = await scene()
    const place = await claimed(await alive())
    expect(await keeps({ ...place, position: place.position - by }, place.position + 9)).toBe(false)
    expect(await positionOf()).toBe(place.position)
  })

  test("is written by its owner only, and under its last claim only", async () => {
    const { claimed, keeps, positionOf } = await scene()
    const place = await claimed(await alive())
    expect(await keeps({ ...place, owner: randomUUID() }, place.position + 1)).toBe(false)
    expect(await keeps({ ...place, epoch: place.epoch + 1 }, place.position + 1)).toBe(false)
    expect(await positionOf()).toBe(place.position)
  })

  test("is one of its partition and of its subscription: the others stay where they are", async () => {
    const [one, other] = [await scene(2), await scene(2)]
    const engine = await alive()
    const [first] = (await one.claim(engine, 2)).toSorted((a, b) => a.place.partition - b.place.partition)
    await other.claim(engine, 2)
    const { place } = first!
    const before = [await one.positionOf(1), await other.positionOf(0), await other.positionOf(1)]
    expect(await one.keeps(place, place.position + 3)).toBe(true)
    expect(await one.positionOf(0)).toBe(place.position + 3)
    expect([await one.positionOf(1), await other.positionOf(0), await other.positionOf(1)]).toEqual(before)
  })
})
