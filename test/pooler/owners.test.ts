import { beforeAll, describe, expect, test } from "vitest"
import { isThrough, noting } from "../consumer/scene.ts"
import { upTo } from "../log/test-log.ts"
import { deferred, until } from "../support/eventually.ts"
import { startWorker, type Worker } from "../support/process.ts"
import { numbered, pooledLog } from "./scene.ts"

// Who owns what behind PgBouncer in transaction mode: by way of it an owner's transactions run in whichever session is free.

const log = pooledLog()

const LEASE_MS = 1_500
const patience = { within: 20_000 }

type Said = {
  readonly given?: string
  readonly owns?: ReadonlyArray<number>
  readonly ready?: boolean
}

beforeAll(async () => {
  await log.db.query(
    "create table handled (nth bigserial primary key, subscription text, stream text, n integer)"
  )
})

/** A process that works on one subscription, by way of the pooler. */
const start = async (name: string, transactional: boolean, pauseMs = 0): Promise<Worker<Said>> => {
  const subscriptions = [{ name, categories: [name], partitions: 1, transactional }]
  const worker = startWorker<Said>("consumer", {
    input: { database: log.url, subscriptions, failing: 0, pauseMs, leaseMs: LEASE_MS }
  })
  await worker.saysThat(({ ready }) => ready === true, patience)
  return worker
}

const owns = (worker: Worker<Said>, count: number) =>
  until(() => worker.said.findLast(({ owns }) => owns !== undefined)?.owns?.length === count, {
    what: `a worker to own ${count} partitions`,
    within: 20_000
  })

const givenTo = (worker: Worker<Said>) => worker.said.filter(({ given }) => given !== undefined).length

const handled = async (name: string) =>
  (
    await log.db.query<{ n: number }>("select n from handled where subscription = $1 order by nth", [name])
  ).map(({ n }) => n)

test("an owner that is killed is followed by another process, which loses nothing and doubles no effect", async () => {
  const name = "killed"
  const engine = await log.open()
  await using first = await start(name, true, 5)
  await owns(first, 1)
  await using second = await start(name, true)
  await engine.emit(`${name}-a`, numbered(upTo(50)))
  await first.saysThat(({ given }) => given === `${name}-a 10`, patience)
  await first.kill()
  await second.saysThat(({ given }) => given !== undefined, patience)
  const { position } = await engine.emit(`${name}-a`, numbered([51]))
  await isThrough(engine, name, position)
  expect(await handled(name)).toEqual(upTo(51))
})

describe.each([
  ["transactional", true],
  ["plain", false]
] as const)("the owner of a subscription (%s)", (kind, transactional) => {
  test("that stands still for longer than its lease, its transaction open, writes nothing when it wakes up", async () => {
    const name = `stopped_${kind}`
    const engine = await log.open()
    await using first = await start(name, transactional, 200)
    await owns(first, 1)
    await using second = await start(name, transactional)
    await engine.emit(`${name}-a`, numbered(upTo(5)))
    await first.saysThat(({ given }) => given === `${name}-a 2`, patience)
    process.kill(first.pid, "SIGSTOP")
    const middle = await engine.emit(`${name}-a`, numbered([6]))
    await isThrough(engine, name, middle.position)
    // What it said before it was stopped has come by now.
    const given = givenTo(first)
    process.kill(first.pid, "SIGCONT")
    await owns(first, 0)
    const last = await engine.emit(`${name}-a`, numbered([7]))
    await isThrough(engine, name, last.position)
    expect(givenTo(first)).toBe(given)
    const numbers = await handled(name)
    expect([...new Set(numbers)]).toEqual(upTo(7))
    if (transactional) expect(numbers).toEqual(upTo(7))
    expect(givenTo(second)).toBeGreaterThan(0)
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
  test("does not move the cursor over what its handler was at", async () => {
    const engine = await log.open()
    const entered = deferred()
    const goOn = deferred()
    const subscription = await engine.subscribe({ name: "followed", categories: ["followed"] }, async () => {
      entered.resolve()
      await goOn.promise
    })
    await until(() => subscription.partitions().length === 1)
    const before = (await subscription.control.status()).partitions[0]!.position
    await engine.emit("followed-a", numbered([1]))
    await entered.promise
    await taken("followed")
    goOn.resolve()
    await until(() => subscription.partitions().length === 0)
    expect((await subscription.control.status()).partitions[0]!.position).toBe(before)
  })

  test("does not call a handler that wants a transaction", async () => {
    const engine = await log.open()
    const heard = noting()
    const options = { name: "uncalled", categories: ["uncalled"], transactional: true } as const
    const subscription = await engine.subscribe(options, heard.handler)
    const { position } = await engine.emit("uncalled-a", numbered([1]))
    await isThrough(engine, "uncalled", position)
    await taken("uncalled")
    await engine.emit("uncalled-a", numbered([2]))
    await until(() => subscription.partitions().length === 0)
    expect(heard.items).toEqual(["a1"])
    expect((await subscription.control.status()).partitions[0]!.position).toBe(position)
  })
})
