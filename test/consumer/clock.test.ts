import { describe, expect, test } from "vitest"
import { upTo } from "../log/test-log.ts"
import { until } from "../support/eventually.ts"
import { startWorker, type Worker } from "../support/process.ts"
import { consumerLog } from "./scene.ts"

// Only the database's clock counts: a process may believe that it is any time of the day.

const log = consumerLog()

const HOUR_MS = 3_600_000
/** Short, for tests that wait for several of them. */
const LEASE_MS = 1_500
const patience = { within: 20_000 }

interface Said {
  readonly ready?: boolean
  readonly given?: string
  readonly attempt?: number
  readonly asked?: number
  readonly clock?: number
  readonly owns?: number
}

interface Skewed {
  readonly name: string
  readonly categories: ReadonlyArray<string>
  readonly partitions?: number
  readonly skewMs: number
  readonly firstMs?: number
  readonly isBroken?: boolean
}

const start = async (options: Skewed): Promise<Worker<Said>> => {
  const worker = startWorker<Said>("skewed", {
    input: {
      database: log.db.url,
      partitions: 1,
      firstMs: 1,
      isBroken: false,
      leaseMs: LEASE_MS,
      ...options
    }
  })
  await worker.saysThat(({ ready }) => ready === true, patience)
  return worker
}

let questions = 0

const ask = (worker: Worker<Said>): Promise<Said> => {
  const asked = (questions += 1)
  worker.send(asked)
  return worker.saysThat((said) => said.asked === asked, patience)
}

const owns = (worker: Worker<Said>, count: number) =>
  until(async () => (await ask(worker)).owns === count, {
    what: `the worker to own ${count} partitions`,
    ...patience
  })

const given = ({ said }: Worker<Said>) => said.flatMap((one) => (one.given === undefined ? [] : [one.given]))

const epochs = (name: string) =>
  log.db.query(
    "select partition, epoch from tidemark.subscription_cursors where subscription = $1 order by 1",
    [name]
  )

/** Until every engine of the log was heard of so often more. */
const signsOfLife = async (times: number) => {
  for (let nth = 0; nth < times; nth += 1) {
    const before = await log.db.query<{ most: Date }>("select max(alive_until) as most from tidemark.engines")
    await until(async () => {
      const [row] = await log.db.query<{ all: boolean }>(
        "select min(alive_until) > $1 as all from tidemark.engines where alive_until > clock_timestamp()",
        [before[0]!.most]
      )
      return row!.all
    }, patience)
  }
}

describe.concurrent.each([HOUR_MS, -HOUR_MS])(
  "a process whose clock is %d ms off",
  (skewMs) => {
    test("neither loses its partitions nor takes those of others, and is followed when it is killed", async () => {
      const one = { ...log.fresh(), partitions: 2 }
      await using skewed = await start({ ...one, skewMs })
      await owns(skewed, 2)
      await using other = await start({ ...one, skewMs: -skewMs })
      await owns(skewed, 1)
      await owns(other, 1)
      const { clock } = await ask(skewed)
      expect(Math.abs(clock! - skewMs - Date.now())).toBeLessThan(HOUR_MS / 2)
      const before = await epochs(one.name)
      // Longer than a lease: each sign is half a lease after the one before.
      await signsOfLife(3)
      expect(await epochs(one.name)).toEqual(before)
      const streams = upTo(6).map((n) => `${one.categories[0]}-s${n}`)
      for (const stream of streams) await log.emit(stream, 1)
      await until(() => given(skewed).length + given(other).length === streams.length, patience)
      expect([...given(skewed), ...given(other)].toSorted()).toEqual(streams.map((stream) => `${stream} 1`))
      await skewed.kill()
      await owns(other, 2)
      for (const stream of streams) await log.emit(stream, 2)
      await until(() => streams.every((stream) => given(other).includes(`${stream} 2`)), patience)
    })

    test("tries events again when their time has come by the database's clock, and so does who follows it", async () => {
      const one = log.fresh()
      const bad = `${one.categories[0]}-bad`
      await using skewed = await start({ ...one, skewMs, firstMs: 200, isBroken: true })
      await log.emit(bad, 1)
      // It comes back within the 200 ms that it may take, and not in an hour.
      await skewed.saysThat(({ attempt }) => attempt === 4, patience)
      await skewed.kill()
      const [row] = await log.db.query<{ apart: number }>(
        `select abs(extract(epoch from due_at - clock_timestamp()))::float8 as apart
       from tidemark.held_events where subscription = $1`,
        [one.name]
      )
      expect(row!.apart).toBeLessThan(HOUR_MS / 1_000 / 2)
      await using other = await start({ ...one, skewMs: -skewMs })
      await other.saysThat((said) => said.given === `${bad} 1`, patience)
    })

    test("tries no event again before its time by the database's clock", async () => {
      const one = log.fresh()
      const [bad, good] = ["bad", "good"].map((id) => `${one.categories[0]}-${id}`) as [string, string]
      const dueIn = (minutes: number) =>
        log.db.query(
          `update tidemark.held_events set state = 'retrying', due_at = clock_timestamp() + $2 * interval '1 minute'
         where subscription = $1`,
          [one.name, minutes]
        )
      await using broken = await start({ ...one, skewMs, isBroken: true })
      await log.emit(bad, 1)
      await until(async () => (await log.engine.subscription(one.name).status()).held.parked === 1, patience)
      await broken.kill()
      // By a clock that is an hour off, it is due long ago, or not for long.
      await dueIn(15)
      await using early = await start({ ...one, skewMs })
      for (const n of upTo(3)) {
        await log.emit(good, n)
        await early.saysThat((said) => said.given === `${good} ${n}`, patience)
      }
      expect(given(early)).toEqual(upTo(3).map((n) => `${good} ${n}`))
      await early.kill()
      await dueIn(-15)
      await using late = await start({ ...one, skewMs })
      await late.saysThat((said) => said.given === `${bad} 1`, patience)
    })
  },
  120_000
)
