import { afterEach, beforeEach, describe, expect, test } from "vitest"
import { upTo } from "../log/test-log.ts"
import { until } from "../support/eventually.ts"
import type { Worker } from "../support/process.ts"
import { owns, patience, processLog, type Said } from "./process-scene.ts"

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

const STREAMS = 6

/** Everything up to `at`, where no cursor is yet, is to be handled under the old number of partitions. */
const isToBeDealt = (name: string, partitions: number, at: number) =>
  log.db.query("update tidemark.subscriptions set next_partitions = $2, next_at = $3 where name = $1", [
    name,
    partitions,
    at
  ])

describe("a process that is killed in the moment in which it deals the streams anew", () => {
  test.each([
    ["and whose backend dies with it leaves the deal to the others (transactional)", true, true],
    [
      "though its backend carries the deal through has dealt, and the others go on from there (at least once)",
      false,
      false
    ]
  ])(
    "%s: nothing is lost or out of order",
    async (_, isRolledBack, transactional) => {
      const one = { ...log.fresh(), partitions: 4, transactional }
      const [category] = one.categories
      const control = log.engine.subscription(one.name)
      const emit = async (from: number, to: number) => {
        let last = 0
        for (let n = from; n <= to; n += 1)
          for (const stream of upTo(STREAMS)) last = (await log.emit(`${category}-s${stream}`, n))[0]!
        return last
      }
      const workers = new Map<string, Worker<Said>>()
      try {
        const start = async (called: string) => {
          workers.set(called, await log.start([one], { pauseMs: 1, called }))
        }
        await Promise.all(upTo(2).map((n) => start(`${one.name}-${n}`)))
        for (const worker of workers.values()) await owns(worker, one.name, 2)
        await control.pause()
        await isToBeDealt(one.name, 5, await emit(1, 10))
        await using session = await log.session()
        await session.query("select pg_advisory_lock($1)", [AT_THE_DEAL])
        await control.resume()
        const dealer = await dealing()
        await workers.get(dealer.application)!.kill()
        workers.delete(dealer.application)
        expect((await control.status()).dealing).toMatchObject({ partitions: 5 })
        if (isRolledBack) {
          await log.db.query("select pg_terminate_backend($1)", [dealer.pid])
          await isGone(dealer)
          expect((await control.status()).dealing).toMatchObject({ partitions: 5 })
        }
        await session.query("select pg_advisory_unlock($1)", [AT_THE_DEAL])
        await until(async () => (await control.status()).dealing === undefined, patience)
        const last = await emit(11, 14)
        await until(
          async () => (await control.status()).partitions.every(({ position }) => position >= last),
          { what: "everything to be handled", ...patience }
        )
        expect((await control.status()).partitions).toHaveLength(5)
        const handled = await log.handledOf(one.name)
        for (const n of upTo(STREAMS)) {
          const stream = `${category}-s${n}`
          const numbers = handled.filter((each) => each.stream === stream).map((each) => each.n)
          expect([stream, [...new Set(numbers)]]).toEqual([stream, upTo(14)])
          if (transactional) expect([stream, numbers]).toEqual([stream, upTo(14)])
        }
      } finally {
        for (const worker of workers.values()) await worker.kill()
      }
    },
    120_000
  )
})
