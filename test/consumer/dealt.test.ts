import { afterEach, beforeEach, describe, expect, test } from "vitest"
import { upTo } from "../log/test-log.ts"
import { until } from "../support/eventually.ts"
import type { Worker } from "../support/process.ts"
import { owns, patience, processLog, type Said } from "./process-scene.ts"
import { isThrough } from "./scene.ts"

// Processes that are killed in the very statement that deals the streams of a subscription anew: a trigger stops them there.

const log = processLog()

/** Whoever holds it exclusively stops a deal in its middle: the old cursors are locked, and about to go. */
const AT_THE_DEAL = 4_711

beforeEach(async () => {
  await log.db.query(
    `create function tidemark.stop_at_deal() returns trigger language plpgsql as $$
     begin perform pg_advisory_xact_lock_shared(${AT_THE_DEAL}); return null; end $$`
  )
  await log.db.query(
    `create trigger stop_at_deal before delete on tidemark.subscription_cursors
     for each statement execute function tidemark.stop_at_deal()`
  )
})
afterEach(() => log.db.query("drop function tidemark.stop_at_deal cascade"))

interface Backend {
  readonly pid: number
  readonly application: string
}

/** The backend that is stopped in the middle of a deal, and who asked for that. */
const dealing = () =>
  until(
    async () => {
      const [stopped] = await log.db.query<Backend>(
        `select pid, application_name as application from pg_stat_activity
         where datname = current_database() and wait_event = 'advisory' and query like '%deal_subscription%'`
      )
      return stopped
    },
    { what: "somebody to deal", ...patience }
  )

const isGone = ({ pid }: Backend) =>
  until(async () => {
    const [still] = await log.db.query("select from pg_stat_activity where pid = $1", [pid])
    return still === undefined
  })

const STREAMS = 9

describe.each([
  ["transactional", true],
  ["at least once", false]
])(
  "a process that is killed in the moment in which it deals the streams anew (%s)",
  (_, transactional) => {
    test.each([
      ["and whose backend dies with it leaves the deal to the others", true],
      ["though its backend carries the deal through has dealt, and the others go on from there", false]
    ])("%s: nothing is lost or out of order", async (__, isRolledBack) => {
      const one = { ...log.fresh(), partitions: 3, transactional }
      const [category] = one.categories
      const control = log.engine.subscription(one.name)
      const called = upTo(3).map(
        (n) => `dealer-${transactional ? "t" : "p"}-${isRolledBack ? "r" : "c"}-${n}`
      )
      const workers = new Map<string, Worker<Said>>()
      try {
        for (const name of called) workers.set(name, await log.start([one], { pauseMs: 2, called: name }))
        for (const worker of workers.values()) await owns(worker, one.name, 1)
        const emit = async (from: number, to: number) => {
          let last = 0
          for (let n = from; n <= to; n += 1)
            for (const stream of upTo(STREAMS)) last = (await log.emit(`${category}-s${stream}`, n))[0]!
          return last
        }
        await using session = await log.session()
        await session.query("select pg_advisory_lock($1)", [AT_THE_DEAL])
        const emitting = emit(1, 20)
        // Those who are behind handle on until they are where the furthest is.
        await until(async () => {
          const positions = (await control.status()).partitions.map(({ position }) => position)
          return new Set(positions).size > 1
        })
        await control.change({ partitions: 5 })
        const dealer = await dealing()
        const killed = workers.get(dealer.application)!
        await killed.kill()
        workers.delete(dealer.application)
        expect((await control.status()).dealing).toMatchObject({ partitions: 5 })
        if (isRolledBack) {
          await log.db.query("select pg_terminate_backend($1)", [dealer.pid])
          await isGone(dealer)
          expect((await control.status()).dealing).toMatchObject({ partitions: 5 })
        }
        await session.query("select pg_advisory_unlock($1)", [AT_THE_DEAL])
        await until(async () => (await control.status()).dealing === undefined, patience)
        await emitting
        const last = await emit(21, 25)
        await isThrough(log.engine, one.name, last)
        expect((await control.status()).partitions).toHaveLength(5)
        const handled = await log.handledOf(one.name)
        for (const n of upTo(STREAMS)) {
          const stream = `${category}-s${n}`
          const numbers = handled.filter((each) => each.stream === stream).map((each) => each.n)
          expect([stream, [...new Set(numbers)]]).toEqual([stream, upTo(25)])
          if (transactional) expect([stream, numbers]).toEqual([stream, upTo(25)])
        }
      } finally {
        for (const worker of workers.values()) await worker.kill()
      }
    })
  },
  60_000
)
