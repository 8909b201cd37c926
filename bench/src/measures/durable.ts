import pg from "pg"
import type { Engine } from "../../../dist/src/index.js"
import type { Bench, Measure } from "../bench.ts"
import { TIDEMARK } from "../contenders.ts"
import { entered, seat, type Entrant } from "../entrant.ts"
import { figure } from "../figure.ts"
import { median } from "../quantile.ts"
import { engineAt } from "../tidemark.ts"

const EVENTS = 200_000
const MEMBERS = 8
const BATCH = 500
const LOOK_EVERY_MS = 10
/** Counting what is held takes the server some ms. */
const COUNT_EVERY_MS = 200

const pause = (milliseconds: number): Promise<void> =>
  new Promise((resolve) => setTimeout(resolve, milliseconds))

/** A log with so many events in it, and an engine on it. */
const filled = <R>(bench: Bench, use: (engine: Engine, entrant: Entrant) => Promise<R>): Promise<R> =>
  entered(bench, TIDEMARK, async (entrant) => {
    bench.note(`  filling it`)
    await entrant.perform("fill", { events: EVENTS })
    await bench.server.vacuum(entrant.database)
    const engine = await engineAt(entrant.database)
    try {
      return await use(engine, entrant)
    } finally {
      await engine.close()
    }
  })

/** The median of as many turns as there are rounds. */
const turns = async (bench: Bench, turn: (round: number) => Promise<number>): Promise<number> => {
  const found: Array<number> = []
  for (let round = 0; round <= bench.rounds; round += 1) {
    await bench.server.checkpoint()
    const rate = await turn(round)
    bench.note(`  ${round === 0 ? "warm-up" : `round ${round} of ${bench.rounds}`}: ${Math.round(rate)}`)
    if (round > 0) found.push(rate)
  }
  return median(found)
}

/** Events per second from the beginning of a subscription until its cursor has passed all of them. */
const untilThrough = async (engine: Engine, name: string, since: number): Promise<number> => {
  const end = await engine.settled()
  const isThrough = async (): Promise<boolean> =>
    (await engine.subscription(name).status()).partitions.every(({ position }) => position >= end)
  while (!(await isThrough())) await pause(LOOK_EVERY_MS)
  return EVENTS / ((performance.now() - since) / 1000)
}

export const durable: Measure = {
  figures: ["durable.rate"],
  run: (bench) =>
    filled(bench, async (engine) => {
      const rate = await turns(bench, async (round) => {
        const name = `rate-${round}`
        const since = performance.now()
        const subscription = await engine.subscribe({ name, from: "start" }, () => undefined)
        const found = await untilThrough(engine, name, since)
        await subscription.stop()
        return found
      })
      return [figure("durable.rate", "events/s", rate)]
    })
}

/** Every stream waits behind its first event, which is parked, until that is tried again. */
export const durableDrain: Measure = {
  figures: ["durable.drain"],
  run: (bench) =>
    filled(bench, async (engine) => {
      const rate = await turns(bench, async (round) => {
        const name = `drain-${round}`
        let isWell = false
        const handler = (): void => {
          if (!isWell) throw new Error("not yet")
        }
        const options = { name, from: "start", retry: { attempts: 1 } } as const
        const subscription = await engine.subscribe(options, handler)
        await untilThrough(engine, name, performance.now())
        const { control } = subscription
        const { parked, waiting } = (await control.status()).held
        isWell = true
        const since = performance.now()
        await control.retry("all")
        const left = async (): Promise<number> => {
          const { held } = await control.status()
          return held.parked + held.retrying + held.waiting
        }
        while ((await left()) > 0) await pause(COUNT_EVERY_MS)
        const tookMs = performance.now() - since
        await subscription.stop()
        return (parked + waiting) / (tookMs / 1000)
      })
      return [figure("durable.drain", "events/s", rate)]
    })
}

export const durableTransactional: Measure = {
  figures: ["durable.transactional"],
  run: (bench) =>
    filled(bench, async (engine, { database }) => {
      const client = new pg.Client({ connectionString: database })
      await client.connect()
      await client.query("create table seen (id uuid primary key, step integer)")
      const rate = await turns(bench, async (round) => {
        await client.query("truncate seen")
        const name = `transactional-${round}`
        const since = performance.now()
        const subscription = await engine.subscribe(
          { name, from: "start", transactional: true, batch: BATCH },
          (events, { tx }) =>
            tx.query("insert into public.seen select * from unnest($1::uuid[], $2::integer[])", [
              events.map(({ id }) => id),
              events.map(({ data }) => (data as { step: number }).step)
            ])
        )
        const found = await untilThrough(engine, name, since)
        await subscription.stop()
        const { rows } = await client.query<{ count: number }>("select count(*)::integer as count from seen")
        if (rows[0]?.count !== EVENTS) throw new Error(`${rows[0]?.count} rows were written of ${EVENTS}.`)
        return found
      })
      await client.end()
      return [figure("durable.transactional", "events/s", rate)]
    })
}

/** Eight processes share one subscription of eight partitions; it is paused until all are there. */
export const consumers8: Measure = {
  figures: ["consumers.8.rate"],
  run: (bench) =>
    filled(bench, async (engine, { database }) => {
      const members = await Promise.all(Array.from({ length: MEMBERS }, () => seat(TIDEMARK, database)))
      const end = await engine.settled()
      const rate = await turns(bench, async (round) => {
        const name = `consumers-${round}`
        const made = await engine.subscribe(
          { name, from: "start", partitions: MEMBERS, types: ["None"] },
          () => undefined
        )
        await made.stop()
        const control = engine.subscription(name)
        await control.pause()
        await control.change({ filter: {} })
        await control.rewind("start")
        const working = Promise.all(members.map((member) => member.perform("consume", { name, end })))
        while ((await control.status()).members < MEMBERS) await pause(LOOK_EVERY_MS)
        const since = performance.now()
        await control.resume()
        await working
        return EVENTS / ((performance.now() - since) / 1000)
      })
      await Promise.all(members.map((member) => member.close()))
      return [figure("consumers.8.rate", "events/s", rate)]
    })
}
