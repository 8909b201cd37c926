import fc from "fast-check"
import { beforeAll, expect, test } from "vitest"
import type { DurableSubscription, Engine } from "../../src/index.ts"
import { until } from "../support/eventually.ts"
import { upTo } from "../log/test-log.ts"
import { consumerLog, numberOf } from "./scene.ts"

// Random programs of emits, failures, members that come and go, and changes; a failure prints the seed and path to run it again with.

const log = consumerLog()

beforeAll(async () => {
  await log.db.query("create table handled (nth bigserial, subscription text, stream text, n integer)")
})

type Step =
  | { readonly do: "emit"; readonly stream: number; readonly count: number }
  | { readonly do: "join" | "leave"; readonly who: number }
  | { readonly do: "partitions"; readonly count: number }
  | { readonly do: "rest"; readonly ms: number }

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constant("emit" as const),
      stream: fc.integer({ min: 1, max: 6 }),
      count: fc.integer({ min: 1, max: 8 })
    })
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constantFrom("join" as const, "leave" as const),
      who: fc.integer({ min: 0, max: 2 })
    })
  },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant("partitions" as const), count: fc.integer({ min: 1, max: 5 }) })
  },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant("rest" as const), ms: fc.integer({ min: 0, max: 40 }) })
  }
)

const program = fc.record({
  steps: fc.array(step, { minLength: 4, maxLength: 25 }),
  /** Which events fail, and how often. */
  failures: fc.array(
    fc.record({
      stream: fc.integer({ min: 1, max: 6 }),
      n: fc.integer({ min: 1, max: 12 }),
      times: fc.integer({ min: 1, max: 3 })
    }),
    { maxLength: 8 }
  ),
  partitions: fc.integer({ min: 1, max: 4 }),
  transactional: fc.boolean(),
  batch: fc.constantFrom(undefined, 3)
})

const RETRY = { attempts: 10, firstMs: 2, longestMs: 10 }
const NOTE = "insert into public.handled (subscription, stream, n) values ($1, $2, $3)"

test("whatever fails, comes and goes, every event is handled, in the order of its stream; in transactions once", async () => {
  const engines: ReadonlyArray<Engine> = [log.engine, await log.open(), await log.open()]
  await fc.assert(
    fc.asyncProperty(program, async ({ steps, failures, partitions, transactional, batch }) => {
      const { name, categories } = log.fresh()
      const [category] = categories
      const left = new Map(failures.map(({ stream, n, times }) => [`${category}-s${stream} ${n}`, times]))
      const members = new Map<number, DurableSubscription>()
      const written = new Map<string, number>()
      let last = 0
      const stumble = (stream: string, n: number): void => {
        const times = left.get(`${stream} ${n}`) ?? 0
        left.set(`${stream} ${n}`, times - 1)
        if (times > 0) throw new Error("stumbled")
      }
      const join = async (who: number): Promise<void> => {
        if (members.has(who)) return
        const engine = engines[who]!
        const common = { name, categories, partitions, retry: RETRY, from: "start" } as const
        if (transactional) {
          const subscription = await engine.subscribe(
            { ...common, transactional, batch: batch ?? 1 },
            async (events, { tx }) => {
              for (const event of events) {
                await tx.query(NOTE, [name, event.stream, numberOf(event)])
                stumble(event.stream, numberOf(event))
              }
            }
          )
          members.set(who, subscription)
        } else {
          const subscription = await engine.subscribe({ ...common, batch: batch ?? 1 }, async (events) => {
            for (const event of events) {
              stumble(event.stream, numberOf(event))
              await log.db.query(NOTE, [name, event.stream, numberOf(event)])
            }
          })
          members.set(who, subscription)
        }
      }
      await join(0)
      for (const one of steps) {
        switch (one.do) {
          case "emit": {
            const stream = `${category}-s${one.stream}`
            const before = written.get(stream) ?? 0
            const numbers = upTo(one.count).map((n) => before + n)
            last = (await log.emit(stream, ...numbers)).at(-1)!
            written.set(stream, before + one.count)
            break
          }
          case "join":
            await join(one.who)
            break
          case "leave":
            await members.get(one.who)?.stop()
            members.delete(one.who)
            break
          case "partitions":
            await log.engine.subscription(name).change({ partitions: one.count })
            break
          case "rest":
            await new Promise((done) => setTimeout(done, one.ms))
        }
      }
      await join(1)
      await until(
        async () => {
          const status = await log.engine.subscription(name).status()
          const { retrying, waiting, parked } = status.held
          const isEmpty = retrying + waiting + parked === 0
          return (
            status.dealing === undefined &&
            isEmpty &&
            status.partitions.every(({ position }) => position >= last)
          )
        },
        { what: `${name} to come to its end`, within: 30_000 }
      )
      const handled = await log.db.query<{ stream: string; n: number }>(
        "select stream, n from handled where subscription = $1 order by nth",
        [name]
      )
      for (const [stream, count] of written) {
        const numbers = handled.filter((each) => each.stream === stream).map(({ n }) => n)
        expect([stream, [...new Set(numbers)]]).toEqual([stream, upTo(count)])
        if (transactional) expect([stream, numbers]).toEqual([stream, upTo(count)])
      }
      await Promise.all([...members.values()].map((member) => member.stop()))
      await log.engine.subscription(name).delete()
    }),
    { numRuns: 10 }
  )
}, 120_000)
