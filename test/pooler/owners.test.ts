import { setTimeout as pause } from "node:timers/promises"
import { beforeAll, describe, expect, test } from "vitest"
import { isThrough, word } from "../consumer/scene.ts"
import { folds, ownedBy, startFolder } from "../fleet/scene.ts"
import { upTo } from "../log/test-log.ts"
import { until } from "../support/eventually.ts"
import { startWorker, type Worker } from "../support/process.ts"
import { pooledLog } from "./scene.ts"

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

describe.each([
  ["transactional", true],
  ["plain", false]
] as const)("the owner of a subscription (%s)", (kind, transactional) => {
  test("that is killed is followed by another process, which loses nothing", async () => {
    const name = `killed_${kind}`
    const engine = await log.open()
    await using first = await start(name, transactional, 5)
    await owns(first, 1)
    await using second = await start(name, transactional)
    await engine.emit(`${name}-a`, numbered(upTo(50)))
    await first.saysThat(({ given }) => given === `${name}-a 10`, patience)
    await first.kill()
    await second.saysThat(({ given }) => given !== undefined, patience)
    const { position } = await engine.emit(`${name}-a`, numbered([51]))
    await isThrough(engine, name, position)
    const numbers = await handled(name)
    expect([...new Set(numbers)]).toEqual(upTo(51))
    if (transactional) expect(numbers).toEqual(upTo(51))
  })

  test("that stands still for longer than its lease, its transaction open, writes nothing when it wakes up", async () => {
    const name = `stopped_${kind}`
    const engine = await log.open()
    await using first = await start(name, transactional, 200)
    await owns(first, 1)
    await using second = await start(name, transactional)
    await engine.emit(`${name}-a`, numbered(upTo(5)))
    await first.saysThat(({ given }) => given === `${name}-a 2`, patience)
    process.kill(first.pid, "SIGSTOP")
    const given = givenTo(first)
    const middle = await engine.emit(`${name}-a`, numbered([6]))
    await isThrough(engine, name, middle.position)
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

const numbered = (numbers: ReadonlyArray<number>) => numbers.map((n) => ({ type: "Numbered", data: { n } }))

describe("transactional handlers at work", () => {
  test.each([
    ["sessions are ended by an administrator", () => log.endSessions()],
    ["the pooler is restarted", () => log.pooler.restart()]
  ] as const)("while %s, again and again, have their effects exactly once", async (what, happens) => {
    const name = what.split(" ")[0]!
    await log.db.query(`create table ${name} (nth bigserial, word text)`)
    const engines = [await log.open(), await log.open()]
    const options = { name, categories: [name], partitions: 4, transactional: true } as const
    const entered = { count: 0 }
    for (const engine of engines)
      await engine.subscribe(options, async (event, { tx }) => {
        await tx.query(`insert into public.${name} (word) values ($1)`, [word(event)])
        entered.count += 1
        await pause(2)
      })
    let last = 0
    for (const round of upTo(4)) {
      const before = entered.count
      for (const s of upTo(4)) {
        const events = numbered(upTo(12).map((n) => round * 100 + n))
        last = (await engines[0]!.emit(`${name}-s${s}.`, events)).position
      }
      await until(() => entered.count > before + 5, { what: "handlers to be at work" })
      await happens()
    }
    await isThrough(engines[1]!, name, last)
    const words = (await log.db.query<{ word: string }>(`select word from ${name} order by nth`)).map(
      (row) => row.word
    )
    for (const s of upTo(4)) {
      const wanted = upTo(4).flatMap((round) => upTo(12).map((n) => `s${s}.${round * 100 + n}`))
      expect(words.filter((each) => each.startsWith(`s${s}.`))).toEqual(wanted)
    }
  })
})

describe("the owner of the read models", () => {
  test("that stands still for longer than its lease folds nothing when it wakes up, and follows", async () => {
    const url = await log.db.fresh()
    const pooled = log.pooler.url(new URL(url).pathname.slice(1))
    await using paused = await startFolder(pooled, { leaseMs: LEASE_MS })
    await ownedBy(url, paused.pid)
    await using other = await startFolder(pooled, { leaseMs: LEASE_MS })
    process.kill(paused.pid, "SIGSTOP")
    await ownedBy(url, other.pid)
    const writer = await log.open({ database: pooled, readModels: "follow" })
    for (const agent of ["a-1", "a-2", "a-3"]) await writer.agents.register({ agent })
    process.kill(paused.pid, "SIGCONT")
    await until(async () => !(await folds(paused)))
    expect((await writer.agents.list()).map(({ agent }) => agent).toSorted()).toEqual(["a-1", "a-2", "a-3"])
    expect(await folds(other)).toBe(true)
  })

  test("that is killed is succeeded, and nothing is folded twice", async () => {
    const url = await log.db.fresh()
    const pooled = log.pooler.url(new URL(url).pathname.slice(1))
    await using killed = await startFolder(pooled, { leaseMs: LEASE_MS })
    await ownedBy(url, killed.pid)
    await using next = await startFolder(pooled, { leaseMs: LEASE_MS })
    const writer = await log.open({ database: pooled, readModels: "follow" })
    await writer.heartbeats.record({ agent: "a-1" })
    await killed.kill()
    const { token } = await writer.heartbeats.record({ agent: "a-1" })
    await ownedBy(url, next.pid)
    const found = await until(() => writer.heartbeats.recent({ agent: "a-1" }, { after: token }))
    expect(found).toHaveLength(2)
  })
})
