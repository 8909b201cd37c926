import { beforeAll, describe, expect, test } from "vitest"
import type { Tx } from "../../src/index.ts"
import { upTo } from "../log/test-log.ts"
import { collector, deferred, until } from "../support/eventually.ts"
import { consumerLog, isThrough, SOON, word } from "./scene.ts"

const log = consumerLog()

beforeAll(async () => {
  await log.db.query("create table effects (nth bigserial, subscription text, word text)")
})

const write = (tx: Tx, name: string, word: string) =>
  tx.query("insert into public.effects (subscription, word) values ($1, $2)", [name, word])

/** In the order in which they were written: a row may lie where one was that came to nothing. */
const effects = async (name: string): Promise<ReadonlyArray<string>> =>
  (
    await log.db.query<{ word: string }>("select word from effects where subscription = $1 order by nth", [
      name
    ])
  ).map(({ word }) => word)

describe("a transactional handler", () => {
  test("commits its rows, its events and the cursor together", async () => {
    const one = log.fresh()
    const [category] = one.categories
    const subscription = await log.engine.subscribe(
      { ...one, transactional: true },
      async (event, { tx }) => {
        await write(tx, one.name, word(event))
        tx.emit(`done-${one.name}`, { type: "Done", data: { of: event.position } })
      }
    )
    const positions = await log.emit(`${category}-a`, 1, 2, 3)
    await isThrough(log.engine, one.name, positions.at(-1)!)
    expect(await effects(one.name)).toEqual(["a1", "a2", "a3"])
    const done = []
    for await (const event of log.engine.read(`done-${one.name}`)) done.push(event)
    expect(done.map(({ data }) => data)).toEqual(positions.map((of) => ({ of })))
    const causes = []
    for await (const event of log.engine.read(`${category}-a`)) causes.push(event.id)
    expect(done.map(({ meta }) => meta.causationId)).toEqual(causes)
    await subscription.stop()
  })

  test("that fails leaves nothing of its event, everything before it, and all that is not of its stream", async () => {
    const one = log.fresh()
    const [category] = one.categories
    await log.emit(`${category}-a`, 1, 2)
    await log.emit(`${category}-b`, 1, 2, 3)
    const last = await log.emit(`${category}-a`, 3)
    const subscription = await log.engine.subscribe(
      { ...one, from: "start", transactional: true, retry: { ...SOON, attempts: 2 } },
      async (event, { tx }) => {
        await write(tx, one.name, word(event))
        if (word(event) === "b2") throw new Error("no")
      }
    )
    await until(async () => {
      const { parked, waiting } = (await subscription.control.status()).held
      return parked === 1 && waiting === 1
    })
    await until(async () => (await subscription.control.status()).partitions[0]!.position >= last[0]!)
    expect(await effects(one.name)).toEqual(["a1", "a2", "b1", "a3"])
    await subscription.stop()
  })

  test("that fails and is mended has its effects once, those of its stream after it", async () => {
    const one = log.fresh()
    const [category] = one.categories
    const subscription = await log.engine.subscribe(
      { ...one, transactional: true, retry: SOON },
      async (event, { tx, attempt }) => {
        await write(tx, one.name, word(event))
        if (word(event) === "a2" && attempt < 4) throw new Error("no")
      }
    )
    const [last] = (await log.emit(`${category}-a`, ...upTo(5))).slice(-1)
    await isThrough(log.engine, one.name, last!)
    expect(await effects(one.name)).toEqual(["a1", "a2", "a3", "a4", "a5"])
    await subscription.stop()
  })

  test("whose emit is refused at COMMIT is found among those of its batch, and only it is held", async () => {
    const one = log.fresh()
    const [category] = one.categories
    await log.engine.emit(`taken-${one.name}`, { type: "Taken" })
    for (const id of ["a", "b", "c", "d"]) await log.emit(`${category}-${id}`, 1)
    const subscription = await log.engine.subscribe(
      { ...one, from: "start", transactional: true, retry: { ...SOON, attempts: 2 } },
      async (event, { tx }) => {
        await write(tx, one.name, word(event))
        if (word(event) === "c1") tx.emit(`taken-${one.name}`, { type: "Taken" }, { expected: "none" })
      }
    )
    const parked = await until(async () => {
      const all = await subscription.control.parked()
      return all.length > 0 && all
    })
    expect(parked).toMatchObject([{ stream: `${category}-c`, attempts: 2 }])
    expect(parked[0]!.errors[0]!.message).toContain("is at version 1")
    await until(async () => (await effects(one.name)).length === 3)
    expect(await effects(one.name)).toEqual(["a1", "b1", "d1"])
    await subscription.stop()
  })

  test("that goes on after a statement of its failed has not succeeded", async () => {
    const one = log.fresh()
    const [category] = one.categories
    const subscription = await log.engine.subscribe(
      { ...one, transactional: true, retry: { ...SOON, attempts: 1 } },
      async (event, { tx }) => {
        await write(tx, one.name, word(event))
        if (word(event) === "a1") await tx.query("select 1 / 0").catch(() => undefined)
      }
    )
    const [last] = await log.emit(`${category}-b`, 1)
    await log.emit(`${category}-a`, 1)
    await until(async () => (await subscription.control.parked()).length === 1)
    await until(async () => (await subscription.control.status()).partitions[0]!.position >= last!)
    expect(await effects(one.name)).toEqual(["b1"])
    await subscription.stop()
  })

  test("that lets its transaction sit idle for longer than an owner may has failed", async () => {
    const one = log.fresh()
    const [category] = one.categories
    const never = deferred()
    const subscription = await log.engine.subscribe(
      { ...one, transactional: true, retry: { ...SOON, attempts: 1 } },
      async (event, { tx }) => {
        await write(tx, one.name, word(event))
        if (word(event) === "a1") await never.promise
      }
    )
    await log.emit(`${category}-a`, 1)
    await log.emit(`${category}-b`, 1)
    await until(async () => (await effects(one.name)).includes("b1"))
    const [parked] = await subscription.control.parked()
    expect(parked!.errors[0]!.message).toContain("let its transaction sit idle")
    expect(await effects(one.name)).toEqual(["b1"])
    never.resolve()
    await subscription.stop()
  })

  test.each([
    ["one for all of them", "batch", 1],
    ["one each where that is asked for", "event", 5]
  ] as const)("has transactions for the events of a batch: %s", async (_, ack, wanted) => {
    const one = log.fresh()
    await log.emit(`${one.categories[0]}-a`, ...upTo(5))
    const transactions = collector<string>()
    const subscription = await log.engine.subscribe(
      { ...one, from: "start", transactional: true, ack },
      async (_event, { tx }) => {
        const { rows } = await tx.query<{ id: string }>("select pg_current_xact_id()::text as id")
        transactions.push(rows[0]!.id)
      }
    )
    expect(new Set(await transactions.reaches(5)).size).toBe(wanted)
    await subscription.stop()
  })

  test("that outlives its transaction can do nothing more in it", async () => {
    const one = log.fresh()
    const late = collector<string>()
    const goOn = deferred()
    const subscription = await log.engine.subscribe({ ...one, transactional: true }, (event, { tx }) => {
      void goOn.promise.then(() =>
        write(tx, one.name, "late").catch((error: unknown) => late.push((error as Error).name))
      )
      return write(tx, one.name, word(event))
    })
    const [position] = await log.emit(`${one.categories[0]}-a`, 1)
    await isThrough(log.engine, one.name, position!)
    goOn.resolve()
    expect(await late.reaches(1)).toEqual(["TransactionEnded"])
    expect(await effects(one.name)).toEqual(["a1"])
    await subscription.stop()
  })

  test("is given arrays of events where that is asked for, in one transaction", async () => {
    const one = log.fresh()
    await log.emit(`${one.categories[0]}-a`, ...upTo(250))
    const given: Array<number> = []
    const subscription = await log.engine.subscribe(
      { ...one, from: "start", transactional: true, batch: 100 },
      async (events, { tx }) => {
        given.push(events.length)
        await tx.query("insert into public.effects (subscription, word) select $1, unnest($2::text[])", [
          one.name,
          events.map(word)
        ])
      }
    )
    await until(async () => (await effects(one.name)).length === 250)
    expect(given).toEqual([100, 100, 50])
    expect(await effects(one.name)).toEqual(upTo(250).map((n) => `a${n}`))
    await subscription.stop()
  })

  test("loses and doubles nothing when its connections are ended in the middle of it, again and again", async () => {
    const one = log.fresh()
    const [category] = one.categories
    const url = new URL(log.db.url)
    url.searchParams.set("application_name", "shaken-consumer")
    const engine = await log.open({ database: url.href })
    const subscription = await engine.subscribe({ ...one, transactional: true }, async (event, { tx }) => {
      await write(tx, one.name, word(event))
      await new Promise((done) => setTimeout(done, 1))
    })
    let last = 0
    for (const round of upTo(6)) {
      last = (await log.emit(`${category}-s${round % 2}.`, ...upTo(30).map((n) => round * 100 + n))).at(-1)!
      await until(async () => (await effects(one.name)).length > round * 20 - 20)
      await log.db.terminate("shaken-consumer")
    }
    await until(async () => (await effects(one.name)).length >= 180, { within: 20_000 })
    await isThrough(log.engine, one.name, last)
    const all = await effects(one.name)
    expect(all.toSorted()).toEqual([...new Set(all)].toSorted())
    for (const stream of ["s0.", "s1."]) {
      const own = all.filter((each) => each.startsWith(stream)).map((each) => Number(each.slice(3)))
      expect(own).toEqual(own.toSorted((a, b) => a - b))
      expect(own).toHaveLength(90)
    }
    await subscription.stop()
  })

  test("leaves its connection to others while it has nothing to do", async () => {
    const one = log.fresh()
    const engine = await log.open({ poolSize: 3 })
    const subscription = await engine.subscribe(
      { ...one, transactional: true, partitions: 8 },
      (event, { tx }) => write(tx, one.name, word(event))
    )
    await Promise.all(
      upTo(16).map((n) => engine.emit(`${one.categories[0]}-${n}.`, { type: "T", data: { n } }))
    )
    await until(async () => (await effects(one.name)).length === 16)
    await subscription.stop()
  })
})
