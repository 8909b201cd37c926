import { Effect, ManagedRuntime } from "effect"
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest"
import { layer, Postgres } from "../../src/effect.ts"
import { WorkQueue } from "../../src/sync/queue/queue.ts"
import { DONE, type Outcome, rankOf, type Work } from "../../src/sync/queue/work.ts"
import { ATTEMPTS, type Perform, retryDelayMs, Worker } from "../../src/sync/queue/worker.ts"
import { upTo } from "../log/test-log.ts"
import { testDatabase } from "../support/database.ts"
import { until } from "../support/eventually.ts"

// The queue of what is to be brought, with a stand-in for whoever brings it.

const db = testDatabase()
const made = () => ManagedRuntime.make(layer({ database: db.url, logger: false, readModels: "follow" }))

let runtime: ReturnType<typeof made>

const LINK = "01890a5d-ac96-774b-bcce-b302099a8057"
const failure = { error: "Broken", message: "it is broken" }
const broken: Outcome = { kind: "failed", failure, isTarget: true }
const [NORMAL, HIGH, LOW] = [rankOf("normal"), rankOf("high"), rankOf("low")]

let queue: WorkQueue

beforeAll(async () => {
  runtime = made()
  queue = new WorkQueue(await runtime.runPromise(Postgres))
})
beforeEach(() => db.query("truncate tidemark.sync_work, tidemark.sync_breakers"))
afterAll(() => runtime.dispose())

const run = <A, E>(effect: Effect.Effect<A, E>): Promise<A> => runtime.runPromise(effect)

const way = (target: string, source = "hub") => [`state-main@${source}`, `state-main@${target}`] as const

const put = (targets: ReadonlyArray<string>, priority = NORMAL): Promise<void> =>
  run(
    queue.put(
      LINK,
      targets.map((target) => way(target)),
      priority
    )
  )

const targetsOf = (works: ReadonlyArray<Pick<Work, "target">>): ReadonlyArray<string> =>
  works.map(({ target }) => target.slice(target.indexOf("@") + 1))

/** Time passes, for what waits. */
const later = (seconds: number): Promise<unknown> =>
  Promise.all([
    db.query(
      `update tidemark.sync_work set due_at = due_at - make_interval(secs => ${seconds}), claimed_until = claimed_until - make_interval(secs => ${seconds})`
    ),
    db.query(`update tidemark.sync_breakers set open_until = open_until - make_interval(secs => ${seconds})`)
  ])

/** A worker that works until the body has ended. */
const working = async (perform: Perform, body: (worker: Worker) => Promise<unknown>): Promise<void> => {
  const worker = new Worker(queue, perform)
  const stopping = new AbortController()
  const end = runtime.runPromise(worker.run, { signal: stopping.signal }).catch(() => undefined)
  await body(worker)
  stopping.abort()
  await end
}

const outcomes = (works: ReadonlyArray<Work>, outcomeOf: (work: Work) => Outcome) =>
  new Map(works.map((work) => [work.work, outcomeOf(work)] as const))

describe("the queue", () => {
  test("has something once, however often it is put in before it is done, and again where it comes while that is done", async () => {
    await put(["a"])
    await put(["a"])
    const works = await run(queue.claim(10))
    expect(targetsOf(works)).toEqual(["a"])
    expect(await run(queue.claim(10))).toEqual([])
    await put(["a"])
    await run(queue.finish(works))
    const again = await run(queue.claim(10))
    expect(targetsOf(again)).toEqual(["a"])
    await run(queue.finish(again))
    expect(await run(queue.list({}))).toEqual([])
  })

  test("gives what somebody took on and never finished to others, after a while", async () => {
    await put(["a"])
    await run(queue.claim(10))
    await later(11)
    expect(targetsOf(await run(queue.claim(10)))).toEqual(["a"])
  })

  test("leaves what somebody is still at with them, and nothing that they have let go", async () => {
    await put(["a"])
    const works = await run(queue.claim(10))
    await later(9)
    await run(queue.extend(works))
    await later(9)
    expect(await run(queue.claim(10))).toEqual([])
    await run(queue.release(works, false, 0))
    await run(queue.extend(works))
    expect(targetsOf(await run(queue.claim(10)))).toEqual(["a"])
  })

  test("gives what is more urgent first, and delays the rest without forgetting it", async () => {
    await put(["low"], LOW)
    await put(["normal"], NORMAL)
    await put(["high"], HIGH)
    const [first] = await run(queue.claim(1))
    expect(targetsOf([first!])).toEqual(["high"])
    await run(queue.finish([first!]))
    await later(30)
    await put(["newer"], HIGH)
    expect(targetsOf(await run(queue.claim(1)))).toEqual(["normal"])
    expect(targetsOf(await run(queue.claim(1)))).toEqual(["low"])
    expect(targetsOf(await run(queue.claim(1)))).toEqual(["newer"])
  })

  test("says when something is due, and nothing where there is nothing to do", async () => {
    expect(await run(queue.next)).toBeUndefined()
    await put(["a"])
    expect(await run(queue.next)).toBe(0)
    const [work] = (await run(queue.claim(10))) as [Work]
    expect(await run(queue.next)).toBeGreaterThan(5_000)
    await run(queue.fail(work, failure, 5_000))
    expect(await run(queue.next)).toBeGreaterThan(1_000)
    await later(10)
    const [again] = (await run(queue.claim(10))) as [Work]
    await run(queue.fail(again, failure, undefined))
    expect(await run(queue.next)).toBeUndefined()
  })

  test("gives two who ask at once different things", async () => {
    await put(upTo(40).map(String))
    const both = await Promise.all([run(queue.claim(20)), run(queue.claim(20)), run(queue.claim(20))])
    const given = targetsOf(both.flat())
    expect(new Set(given).size).toBe(given.length)
  })
})

describe("what fails", () => {
  test("waits twice as long each time, up to five minutes, and not as long as others that failed with it", () => {
    for (const failures of upTo(12)) {
      const whole = Math.min(300_000, 1_000 * 2 ** (failures - 1))
      const delays = upTo(50).map(() => retryDelayMs(failures))
      for (const delay of delays) expect(delay).toBeGreaterThanOrEqual(whole / 2)
      for (const delay of delays) expect(delay).toBeLessThanOrEqual(whole)
      expect(new Set(delays).size).toBeGreaterThan(1)
    }
  })

  test("is parked when it has failed too often, listed with why, and tried again as if for the first time", async () => {
    await put(["a"])
    let isBroken = true
    const tried: Array<number> = []
    const perform: Perform = (works) =>
      Effect.sync(() => {
        tried.push(...works.map(({ attempts }) => attempts))
        return outcomes(works, () => (isBroken ? { kind: "failed", failure, isTarget: false } : DONE))
      })
    await working(perform, async (worker) => {
      for (const attempt of upTo(ATTEMPTS)) {
        await until(async () => tried.length >= attempt)
        await until(async () => (await run(queue.list({})))[0]?.attempts === attempt)
        await later(600)
        worker.wake()
      }
      await until(async () => (await run(queue.standing)).parked === 1)
      expect(tried).toEqual(upTo(ATTEMPTS).map((attempt) => attempt - 1))
      const [row] = await run(queue.list({ state: "parked" }))
      expect(row).toMatchObject({ attempts: ATTEMPTS, failure, target: { agent: "a", branch: "main" } })
      isBroken = false
      expect(await run(queue.retry(row!.work))).toBe(1)
      worker.wake()
      await until(async () => (await run(queue.list({}))).length === 0)
    })
  })

  test("and cannot be done as things are is parked at once, and tried when something has changed", async () => {
    await put(["a", "b"])
    const perform: Perform = (works) => Effect.succeed(outcomes(works, () => ({ kind: "stuck", failure })))
    await working(perform, async () => {
      await until(async () => (await run(queue.standing)).parked === 2)
      expect((await run(queue.standing)).broken).toEqual([])
    })
    await run(queue.wake(["a"], ["Other"]))
    expect((await run(queue.standing)).parked).toBe(2)
    await run(queue.wake(["a"], ["Broken"]))
    expect(targetsOf(await run(queue.claim(10)))).toEqual(["a"])
    // There is more to bring: it may be possible by now.
    await put(["b"])
    expect(targetsOf(await run(queue.claim(10)))).toEqual(["b"])
  })

  test("because its link is paused is not held where that goes on meanwhile, nor parked where what was wrong has changed", async () => {
    await put(["held", "parked", "woken"])
    const works = await run(queue.claim(10))
    const of = (name: string) => works.find(({ target }) => target.endsWith(`@${name}`))!
    await put(["held"])
    await put(["parked"])
    await run(queue.wake(["woken"], ["Broken"]))
    await run(queue.release([of("held")], true, 0))
    for (const name of ["parked", "woken"]) await run(queue.fail(of(name), failure, undefined))
    expect(await run(queue.standing)).toMatchObject({ held: 0, parked: 0 })
    const [first, ...others] = (await run(queue.claim(10))) as [Work, ...Array<Work>]
    expect(others.length).toBe(2)
    await run(queue.release([first], true, 0))
    for (const work of others) await run(queue.fail(work, failure, undefined))
    expect(await run(queue.standing)).toMatchObject({ held: 1, parked: 2 })
  })

  test("or is none costs a question a second, and no more", async () => {
    let asked = 0
    const counting = new Proxy(queue, {
      get: (of, name) => {
        if (name === "claim") asked += 1
        return Reflect.get(of, name, of) as unknown
      }
    })
    const worker = new Worker(counting, () => Effect.succeed(new Map()))
    const stopping = new AbortController()
    const end = runtime.runPromise(worker.run, { signal: stopping.signal }).catch(() => undefined)
    await until(async () => asked >= 3)
    stopping.abort()
    await end
    // The third comes two waits after the first, however fast the server answers.
    expect(asked).toBe(3)
  })

  test("that takes long stays with whoever is at it", async () => {
    await put(["a"])
    let end = (): void => undefined
    let isBegun = false
    const perform: Perform = (works) =>
      Effect.callback((resume) => {
        isBegun = true
        end = () => resume(Effect.succeed(outcomes(works, () => DONE)))
      })
    await working(perform, async () => {
      await until(async () => isBegun)
      await later(5)
      const isExtended = async (): Promise<boolean> => {
        const [row] = await db.query(
          "select claimed_until > clock_timestamp() + interval '6 seconds' as is_extended from tidemark.sync_work"
        )
        return row!["is_extended"] as boolean
      }
      expect(await isExtended()).toBe(false)
      await until(isExtended)
      end()
      await until(async () => (await run(queue.list({}))).length === 0)
    })
  })

  test("where the server is away is nobody's fault", async () => {
    await put(["a"])
    let isAway = true
    let tries = 0
    const perform: Perform = (works) =>
      Effect.sync(() => {
        tries += 1
        return outcomes(works, () => (isAway ? { kind: "away" } : DONE))
      })
    await working(perform, async () => {
      await until(async () => tries > 1)
      expect(await run(queue.list({}))).toMatchObject([{ attempts: 0, failure: null }])
      isAway = false
      await until(async () => (await run(queue.list({}))).length === 0)
    })
  })
})

describe("a target that fails again and again", () => {
  const BREAK_AFTER = 5

  /** One thing for each of many members, into one target. */
  const putInto = (target: string, count: number) =>
    run(
      queue.put(
        LINK,
        upTo(count).map((n) => way(target, `m${n}`)),
        NORMAL
      )
    )

  test("is left alone for a while, while others are not; then one thing is tried, and when that can be done all can", async () => {
    await putInto("broken", 20)
    const works = await run(queue.claim(BREAK_AFTER))
    for (const work of works) {
      await run(queue.fail(work, failure, 1_000))
      await run(queue.breaks(work, failure))
    }
    expect((await run(queue.standing)).broken).toMatchObject([
      { agent: "broken", branch: "main", failures: BREAK_AFTER, failure }
    ])
    await put(["fine"])
    const fine = await run(queue.claim(100))
    expect(targetsOf(fine)).toEqual(["fine"])
    await run(queue.finish(fine))
    await later(11)
    const probe = await run(queue.claim(100))
    expect(targetsOf(probe)).toEqual(["broken"])
    expect(await run(queue.claim(100))).toEqual([])
    await run(queue.finish(probe))
    expect((await run(queue.standing)).broken).toEqual([])
    expect((await run(queue.claim(100))).length).toBe(19)
  })

  test("and once more when it is tried is left alone for twice as long", async () => {
    await putInto("broken", 10)
    for (const work of await run(queue.claim(BREAK_AFTER))) await run(queue.breaks(work, failure))
    const opens = async () => {
      const [{ openUntil }] = (await run(queue.standing)).broken as unknown as readonly [
        { readonly openUntil: Date }
      ]
      return openUntil.getTime() - Date.now()
    }
    const first = await opens()
    await later(11)
    const [probe] = await run(queue.claim(10))
    await run(queue.breaks(probe!, failure))
    expect(await opens()).toBeGreaterThan(first * 1.5)
  })

  test("is left alone by a worker", async () => {
    await putInto("broken", 30)
    await put(["fine"])
    let tries = 0
    const perform: Perform = (works) =>
      Effect.sync(() => {
        tries += works.filter(({ target }) => target.endsWith("broken")).length
        return outcomes(works, ({ target }) => (target.endsWith("broken") ? broken : DONE))
      })
    await working(perform, async (worker) => {
      await until(async () => (await run(queue.standing)).broken.length === 1)
      const before = tries
      await later(5)
      worker.wake()
      await put(["other"])
      worker.wake()
      await until(async () => (await run(queue.list({}))).every(({ target }) => target.agent === "broken"))
      expect(tries).toBe(before)
    })
  })
})
