import { type ChildProcess, fork } from "node:child_process"
import { once } from "node:events"
import type { Bench, Measure } from "../bench.ts"
import { TIDEMARK } from "../contenders.ts"
import { answer } from "../entrant.ts"
import { figure, type Figure } from "../figure.ts"
import type { Emitted, Pace } from "../fleet/emit.ts"
import { fillFleet, type Stretch } from "../fleet/fill.ts"
import { type Lag, lags, slowest, summaries } from "../fleet/lags.ts"
import { Onlooker } from "../fleet/onlooker.ts"
import { quantile } from "../quantile.ts"
import { engineAt } from "../tidemark.ts"

const PER_SECOND = 10_000

/** For how long it is emitted before it counts, in ms. */
const WARM_UP_MS = 3_000

/** What waits for a process that begins to fold. */
const BACKLOG = 100_000

const started = async (script: string, database: string): Promise<ChildProcess> => {
  const child = fork(new URL(`../${script}.js`, import.meta.url), [database], {
    stdio: ["ignore", 2, 2, "ipc"]
  })
  await once(child, "message")
  return child
}

const ended = async (child: ChildProcess): Promise<void> => {
  if (child.exitCode !== null) return
  const exit = once(child, "exit")
  child.disconnect()
  await exit
}

/** A process as long as it is used. */
const withProcess = async <R>(
  script: string,
  database: string,
  use: (child: ChildProcess) => Promise<R>
): Promise<R> => {
  const child = await started(script, database)
  try {
    return await use(child)
  } finally {
    await ended(child)
  }
}

/** The events of the fleet are numbered on from one emitter to the next. */
class Numbers {
  private next = 0

  take(count: number): Stretch {
    const first = this.next
    this.next += count
    return { first, count }
  }
}

const emitted = async (writer: ChildProcess, pace: Pace): Promise<Emitted> => {
  const found = answer(writer)
  writer.send(pace)
  return (await found) as Emitted
}

const tell = (
  bench: Bench,
  models: ReadonlyArray<ReadonlyArray<Lag>>,
  { perSecond, p50, p99 }: Emitted
): void => {
  const delays = `${p50.toFixed(0)} ms (p50), ${p99.toFixed(0)} (p99)`
  bench.note(`  ${Math.round(perSecond)} events a second were appended, ${delays} after they were due`)
  for (const { name, ...lag } of summaries(models)) {
    const ms = `${lag.p50.toFixed(0)} ms (p50), ${lag.max.toFixed(0)} at most, ${lag.end.toFixed(0)} at the end`
    bench.note(`  ${name}: behind by ${ms}`)
  }
  const events = Math.max(...models.flat().map((lag) => lag.events))
  bench.note(`  behind by ${events} events of its types, at most`)
}

/** Emits as a fleet does while another process folds it into all read models, and how far the slowest of these is behind. */
const underLoad = async (
  bench: Bench,
  database: string,
  onlooker: Onlooker,
  numbers: Numbers
): Promise<ReadonlyArray<Figure>> =>
  withProcess("fleet-process", database, (writer) =>
    withProcess("keeper-process", database, async () => {
      const emit = (milliseconds: number): Promise<Emitted> =>
        emitted(writer, {
          ...numbers.take(Math.round((PER_SECOND * milliseconds) / 1000)),
          perSecond: PER_SECOND
        })
      await emit(WARM_UP_MS)
      await onlooker.caughtUp()
      await bench.server.vacuum(database)
      await bench.server.checkpoint()
      const { positions } = await onlooker.look()
      const emitting = emit(bench.turn * bench.rounds)
      const looks = await onlooker.during(emitting)
      const load = await emitting
      const behind = await onlooker.caughtUp()
      const models = lags(looks, await onlooker.log(Math.min(...positions.values())))
      tell(bench, models, load)
      bench.note(`  all was folded ${Math.max(...behind.values()).toFixed(1)} s later`)
      const ms = slowest(models).map((lag) => lag.ms)
      const worst = summaries(models).slice(0, 3)
      const beside = worst.map(({ name, max }) => ({ name, value: max }))
      return [
        figure("fleet.10k.rate", "events/s", load.perSecond),
        figure("fleet.10k.lag.p50", "ms", quantile(ms, 0.5)),
        figure("fleet.10k.lag.max", "ms", Math.max(...ms), beside, () => false),
        figure("fleet.10k.lag.end", "ms", ms.at(-1) ?? Number.NaN)
      ]
    })
  )

/** How fast one process folds what waits for it, into all read models at the same time. */
const catchingUp = async (
  bench: Bench,
  database: string,
  onlooker: Onlooker,
  numbers: Numbers
): Promise<Figure> => {
  const engine = await engineAt(database, "follow")
  await fillFleet(bench, engine, database, numbers.take(BACKLOG)).finally(() => engine.close())
  await bench.server.checkpoint()
  return withProcess("keeper-process", database, async () => {
    const times = [...(await onlooker.caughtUp())].toSorted(([, a], [, b]) => b - a)
    const [last] = times
    for (const [name, seconds] of times) bench.note(`  ${name} had caught up after ${seconds.toFixed(1)} s`)
    const slow = times.slice(0, 3).map(([name, seconds]) => ({ name, value: BACKLOG / seconds }))
    return figure("fleet.10k.catchup", "events/s", BACKLOG / last![1], slow, () => false)
  })
}

/** 10 000 events a second of 10 000 agents, for as long as all rounds together: whether the read models keep up. */
export const fleet10k: Measure = {
  figures: [
    "fleet.10k.rate",
    "fleet.10k.lag.p50",
    "fleet.10k.lag.max",
    "fleet.10k.lag.end",
    "fleet.10k.catchup"
  ],
  run: async (bench) => {
    const database = await bench.server.createDatabase(TIDEMARK)
    const numbers = new Numbers()
    try {
      const engine = await engineAt(database)
      await fillFleet(bench, engine, database, numbers.take(PER_SECOND)).finally(() => engine.close())
      const onlooker = await Onlooker.of(database)
      try {
        const loaded = await underLoad(bench, database, onlooker, numbers)
        return [...loaded, await catchingUp(bench, database, onlooker, numbers)]
      } finally {
        await onlooker.close()
      }
    } finally {
      await bench.server.dropDatabase(database)
    }
  }
}
