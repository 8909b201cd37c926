import { afterEach, describe, expect, test } from "vitest"
import { DEFAULT_LEASE_MS as LEASE_MS } from "../../src/fleet/fleet.ts"
import type { Engine } from "../../src/index.ts"
import { partitionOf } from "../../src/log/share.ts"
import { upTo } from "../log/test-log.ts"
import { collector, deferred, inTime, until } from "../support/eventually.ts"
import { consumerLog, isThrough, noting, own, sizes, word } from "./scene.ts"

const log = consumerLog()

describe("members of a subscription", () => {
  test("share its partitions evenly as they come and go, and lose nothing of what they hand over", async () => {
    const one = { ...log.fresh(), partitions: 4 }
    const [category] = one.categories
    const heard = noting()
    const engines = [log.engine, await log.open(), await log.open()]
    const first = await engines[0]!.subscribe(one, heard.handler)
    await own([first], [4])
    const emit = async (from: number) => {
      for (const n of upTo(10)) await log.emit(`${category}-s${n}.`, from)
    }
    await emit(1)
    const second = await engines[1]!.subscribe(one, heard.handler)
    await emit(2)
    await own([first, second], [2, 2])
    const third = await engines[2]!.subscribe(one, heard.handler)
    await emit(3)
    await second.stop()
    await emit(4)
    await own([first, third], [2, 2])
    await engines[0]!.subscription(one.name).status()
    await first.stop()
    await emit(5)
    await own([third], [4])
    await heard.reaches(50)
    for (const n of upTo(10))
      expect(heard.items.filter((each) => each.startsWith(`s${n}.`))).toEqual(
        upTo(5).map((m) => `s${n}.${m}`)
      )
    await third.stop()
  })

  test("that is closed leaves its partitions to the others at once", async () => {
    const one = { ...log.fresh(), partitions: 2 }
    const engine = await log.open()
    const first = await engine.subscribe(one, () => undefined)
    await own([first], [2])
    const second = await log.engine.subscribe(one, () => undefined)
    await own([first, second], [1, 1])
    await engine.close()
    const since = performance.now()
    await own([second], [2])
    expect(performance.now() - since).toBeLessThan(2_000)
    await second.stop()
  })

  test("gives up what is too much for it only after the event that it is at", async () => {
    const one = { ...log.fresh(), partitions: 2 }
    const [category] = one.categories
    const streams = [0, 1].map((wanted) =>
      upTo(50)
        .map((n) => `${category}-s${n}.`)
        .find((s) => partitionOf(s, 2) === wanted)!
    )
    const goOn = deferred()
    const entered = collector<string>()
    const engine = await log.open()
    const first = await log.engine.subscribe(one, async (event) => {
      entered.push(word(event))
      await goOn.promise
    })
    await own([first], [2])
    for (const stream of streams) await log.emit(stream, 1)
    await entered.reaches(2)
    const heard = noting()
    const second = await engine.subscribe(one, heard.handler)
    await until(async () => (await first.control.status()).members === 2)
    for (const stream of streams) await log.emit(stream, 2)
    expect(sizes([first, second])).toEqual([2, 0])
    goOn.resolve()
    await own([first, second], [1, 1])
    await until(() => entered.items.length + heard.items.length === 4)
    expect([...entered.items, ...heard.items].toSorted()).toEqual(
      streams.flatMap((stream) => [1, 2].map((n) => `${stream.split("-")[1]}${n}`)).toSorted()
    )
    await Promise.all([first.stop(), second.stop()])
  })

  test("are one in an engine: a second handler for the same name is refused", async () => {
    const one = log.fresh()
    const first = await log.engine.subscribe(one, () => undefined)
    await expect(log.engine.subscribe(one, () => undefined)).rejects.toMatchObject({
      _tag: "AlreadySubscribed",
      subscription: one.name
    })
    await first.stop()
    const again = await log.engine.subscribe(one, () => undefined)
    await again.stop()
  })

  test("make it once when they begin at the same time", async () => {
    const one = { ...log.fresh(), partitions: 3, from: "start" as const }
    const engines = [log.engine, await log.open(), await log.open()]
    const heard = noting()
    const members = await Promise.all(engines.map((engine) => engine.subscribe(one, heard.handler)))
    await own(members, [1, 1, 1])
    await log.emit(`${one.categories[0]}-a`, 1)
    expect(await heard.reaches(1)).toEqual(["a1"])
    await Promise.all(members.map((member) => member.stop()))
  })
})

/** The owner's signs of life count for nothing from now on, as if its clock stood: it believes to be alive, and the others know better. */
const silenced = async (engine: Engine, name: string) => {
  const { partitions } = await engine.subscription(name).status()
  const { engine: id } = partitions.find(({ owner }) => owner !== undefined)!.owner!
  await log.db.query(
    `create or replace function tidemark.bury() returns trigger language plpgsql as $$
     begin new.alive_until := clock_timestamp() - interval '1 second'; return new; end $$`
  )
  await log.db.query(
    `create trigger buried before insert or update on tidemark.engines
     for each row when (new.engine = '${id}') execute function tidemark.bury()`
  )
  await log.db.query("update tidemark.engines set host = host where engine = $1", [id])
}

afterEach(() => log.db.query("drop trigger if exists buried on tidemark.engines"))

describe("an owner that the others take for gone", () => {
  test("writes nothing any more: what it handled meanwhile is handled again by its successor", async () => {
    const one = { ...log.fresh(), partitions: 1 }
    const [category] = one.categories
    const engine = await log.open()
    const entered = deferred()
    const goOn = deferred()
    const first = await log.engine.subscribe(one, async () => {
      entered.resolve()
      await goOn.promise
    })
    await own([first], [1])
    await log.emit(`${category}-a`, 1)
    await entered.promise
    await silenced(log.engine, one.name)
    const heard = noting()
    const second = await engine.subscribe(one, heard.handler)
    await heard.reaches(1)
    goOn.resolve()
    await log.emit(`${category}-a`, 2)
    expect(await heard.reaches(2)).toEqual(["a1", "a2"])
    await own([first], [0])
    await Promise.all([first.stop(), second.stop()])
  })

  test("tells its handler by the signal", async () => {
    const one = log.fresh()
    const engine = await log.open()
    const reasons = collector<unknown>()
    const entered = deferred()
    const first = await log.engine.subscribe(one, (_, { signal }) => {
      signal.addEventListener("abort", () => reasons.push(signal.reason))
      entered.resolve()
      return new Promise(() => undefined)
    })
    await log.emit(`${one.categories[0]}-a`, 1)
    await entered.promise
    await silenced(log.engine, one.name)
    const second = await engine.subscribe(one, () => undefined)
    expect(await reasons.reaches(1, { within: LEASE_MS * 2 })).toMatchObject([
      { _tag: "HandlingCut", why: "lost" }
    ])
    await inTime(Promise.all([first.stop(), second.stop()]))
  })

  test("has no effects of its transaction either", async () => {
    await log.db.query("create table if not exists effects (word text)")
    const one = log.fresh()
    const engine = await log.open()
    const entered = deferred()
    const goOn = deferred()
    let isFirst = true
    const handler = async (
      event: Parameters<typeof word>[0],
      tx: { query: (sql: string, params: Array<unknown>) => Promise<unknown> }
    ) => {
      await tx.query("insert into public.effects values ($1)", [word(event)])
      if (!isFirst) return
      isFirst = false
      entered.resolve()
      await goOn.promise
    }
    const options = { ...one, transactional: true } as const
    const first = await log.engine.subscribe(options, (event, { tx }) => handler(event, tx))
    const [position] = await log.emit(`${one.categories[0]}-a`, 1)
    await entered.promise
    await silenced(log.engine, one.name)
    // Its row is locked by its transaction, so nobody can take it before that has ended.
    const second = await engine.subscribe(options, (event, { tx }) => handler(event, tx))
    await until(async () => (await second.control.status()).members === 1)
    goOn.resolve()
    await isThrough(log.engine, one.name, position!)
    expect(await log.db.query("select word from effects")).toEqual([{ word: "a1" }])
    await Promise.all([first.stop(), second.stop()])
  })
})

/** The partition becomes another's, who has not moved its cursor yet. */
const taken = (name: string) =>
  log.db.query(
    `with other as (
       insert into tidemark.engines (engine, application, host, pid, alive_until)
       values (gen_random_uuid(), 'other', 'elsewhere', 1, clock_timestamp() + interval '1 minute')
       returning engine
     )
     update tidemark.subscription_cursors set owner = other.engine, epoch = epoch + 1 from other where subscription = $1`,
    [name]
  )

describe("an owner that was followed by another, who has done nothing yet,", () => {
  test("does not move the cursor", async () => {
    const one = log.fresh()
    const entered = deferred()
    const goOn = deferred()
    const subscription = await log.engine.subscribe(one, async () => {
      entered.resolve()
      await goOn.promise
    })
    await until(() => subscription.partitions().length === 1)
    const before = (await subscription.control.status()).partitions[0]!.position
    await log.emit(`${one.categories[0]}-a`, 1)
    await entered.promise
    await taken(one.name)
    goOn.resolve()
    await until(() => subscription.partitions().length === 0)
    expect((await subscription.control.status()).partitions[0]!.position).toBe(before)
    await subscription.stop()
    await log.db.query("delete from tidemark.engines where application = 'other'")
  })

  test("holds no event, parks none, and does not even call a handler that wants a transaction", async () => {
    const one = log.fresh()
    const heard = noting()
    const subscription = await log.engine.subscribe({ ...one, transactional: true }, heard.handler)
    const [first] = await log.emit(`${one.categories[0]}-a`, 1)
    await isThrough(log.engine, one.name, first!)
    await taken(one.name)
    await log.emit(`${one.categories[0]}-a`, 2)
    await until(() => subscription.partitions().length === 0)
    expect(heard.items).toEqual(["a1"])
    expect((await subscription.control.status()).partitions[0]!.position).toBe(first)
    await subscription.stop()
    await log.db.query("delete from tidemark.engines where application = 'other'")
  })
})
