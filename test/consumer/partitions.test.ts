import fc from "fast-check"
import { describe, expect, test } from "vitest"
import { partitionOf } from "../../src/log/share.ts"
import { statement } from "../../src/postgres/sql-file.ts"
import { upTo } from "../log/test-log.ts"
import { until } from "../support/eventually.ts"
import { consumerLog, isThrough, noting, own, word } from "./scene.ts"

const log = consumerLog()

describe("the partition of a stream", () => {
  test("is the same in SQL and in memory", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.stringMatching(/^[A-Za-z][A-Za-z0-9_.:]{0,20}-[\x21-\x7e]{1,40}$/),
        fc.integer({ min: 1, max: 256 }),
        async (stream, of) => {
          const [row] = await log.db.query<{ partition: number }>(
            "select tidemark.partition_of($1, $2) as partition",
            [stream, of]
          )
          expect(row!.partition).toBe(partitionOf(stream, of))
        }
      ),
      { numRuns: 100 }
    )
  })

  test("leaves none of few partitions without streams", () => {
    const counts = new Map<number, number>()
    for (const n of upTo(1_000)) {
      const partition = partitionOf(`order-${n}`, 8)
      counts.set(partition, (counts.get(partition) ?? 0) + 1)
    }
    expect(counts.size).toBe(8)
    expect(Math.min(...counts.values())).toBeGreaterThan(80)
  })
})

describe("the number of partitions", () => {
  test.each([false, true])(
    "changes while members are at work (transactional: %s): order within streams is kept, and nothing is lost",
    async (transactional) => {
      const one = { ...log.fresh(), partitions: 2, transactional }
      const [category] = one.categories
      const engine = await log.open()
      const heard = noting()
      const slow = async (event: Parameters<typeof word>[0]) => {
        await new Promise((done) => setTimeout(done, 1))
        heard.handler(event)
      }
      const members = [await log.engine.subscribe(one, slow), await engine.subscribe(one, slow)]
      let last = 0
      for (const [at, partitions] of [5, 3, 1, 8].entries()) {
        for (const n of upTo(12)) last = (await log.emit(`${category}-s${n}.`, 2 * at + 1))[0]!
        await members[0]!.control.change({ partitions })
        for (const n of upTo(12)) last = (await log.emit(`${category}-s${n}.`, 2 * at + 2))[0]!
      }
      await until(async () => (await members[0]!.control.status()).dealing === undefined, { within: 20_000 })
      await isThrough(log.engine, one.name, last)
      expect((await members[0]!.control.status()).partitions).toHaveLength(8)
      await own(members, [4, 4])
      for (const n of upTo(12)) {
        const numbers = heard.items
          .filter((each) => each.startsWith(`s${n}.`))
          .map((each) => Number(each.split(".")[1]))
        expect(firsts(numbers)).toEqual(upTo(8))
      }
      await Promise.all(members.map((member) => member.stop()))
    }
  )

  test("changes in the moment in which somebody wants to change something: who waited for that sees what came of it", async () => {
    const { name, categories } = log.fresh()
    const member = await log.engine.subscribe({ name, categories, partitions: 2 }, () => undefined)
    await member.stop()
    const control = log.engine.subscription(name)
    const dealer = await log.db.pool.connect()
    try {
      await dealer.query("begin")
      await dealer.query(
        `update tidemark.subscriptions set next_partitions = 3,
           next_at = (select min(position) from tidemark.subscription_cursors where subscription = $1)
         where name = $1`,
        [name]
      )
      await dealer.query("select tidemark.deal_subscription($1)", [name])
      const pausing = control.pause()
      await until(async () => {
        const waiting = await log.db.query(
          "select from pg_locks where not granted and locktype = 'transactionid'"
        )
        return waiting.length > 0
      })
      await dealer.query("commit")
      await pausing
    } finally {
      dealer.release()
    }
    expect(await control.status()).toMatchObject({ state: "paused", partitions: { length: 3 } })
  })

  test("changes at last where the last to come ended before it could deal: whoever comes next does", async () => {
    const { name, categories } = log.fresh()
    const member = await log.engine.subscribe({ name, categories, partitions: 2 }, () => undefined)
    await member.stop()
    await log.db.query(
      `update tidemark.subscriptions set next_partitions = 3,
         next_at = (select max(position) from tidemark.subscription_cursors where subscription = $1)
       where name = $1`,
      [name]
    )
    await log.db.query(
      `update tidemark.subscription_cursors set position = next_at
       from tidemark.subscriptions where name = subscription and name = $1`,
      [name]
    )
    const next = await log.engine.subscribe({ name, categories, partitions: 2 }, () => undefined)
    await own([next], [3])
    await next.stop()
  })

  test("and whatever else is being changed in this moment keeps partitions from being claimed until it is", async () => {
    const { name, categories } = log.fresh()
    const first = await log.engine.subscribe({ name, categories, partitions: 2 }, () => undefined)
    await first.stop()
    const changing = await log.db.pool.connect()
    try {
      await changing.query("begin")
      await changing.query("select from tidemark.subscriptions where name = $1 for update", [name])
      const text = statement("claim_partitions", "tidemark").text
      const claim = async () => log.db.query(text, [name, await log.joined(name), 2, []])
      expect(await claim()).toEqual([])
      await changing.query("commit")
      expect(await claim()).toHaveLength(2)
    } finally {
      changing.release()
    }
  })

  test("changes at once where nobody is behind, also while nobody works on it", async () => {
    const one = { ...log.fresh(), partitions: 2 }
    const member = await log.engine.subscribe(one, () => undefined)
    const control = log.engine.subscription(one.name)
    const [last] = await log.emit(`${one.categories[0]}-a`, 1)
    await until(async () => (await control.status()).partitions.every(({ position }) => position >= last!))
    await member.stop()
    await control.rewind(last!)
    await control.change({ partitions: 6 })
    const { partitions, dealing } = await control.status()
    expect(dealing).toBeUndefined()
    expect(partitions.map(({ position }) => position)).toEqual(upTo(6).map(() => last))
  })

  test("changes later where one is behind and nobody works on it: its members get there first", async () => {
    const one = { ...log.fresh(), partitions: 2, from: "start" as const }
    const [category] = one.categories
    const member = await log.engine.subscribe(one, () => undefined)
    await own([member], [2])
    await member.stop()
    await log.db.query(
      "update tidemark.subscription_cursors set position = position - 1 where subscription = $1 and partition = 0 and position > 0",
      [one.name]
    )
    const [last] = await log.emit(`${category}-a`, 1)
    await log.db.query(
      "update tidemark.subscription_cursors set position = $2 where subscription = $1 and partition = 1",
      [one.name, last]
    )
    const control = log.engine.subscription(one.name)
    await control.change({ partitions: 3 })
    expect((await control.status()).dealing).toEqual({ partitions: 3, at: last })
    const again = await log.engine.subscribe(one, () => undefined)
    await until(async () => (await control.status()).partitions.length === 3)
    await again.stop()
  })
})

/** Each number where it was heard first: what is handed over again comes in order, too. */
const firsts = (numbers: ReadonlyArray<number>): ReadonlyArray<number> => [...new Set(numbers)]
