import { beforeAll } from "vitest"
import { until } from "../support/eventually.ts"
import { startWorker, type Worker } from "../support/process.ts"
import { type ConsumerLog, consumerLog } from "./scene.ts"

// What the tests of consumers share that are processes of their own: each writes what it handled into the table `handled`.

export type Said = {
  readonly name?: string
  readonly given?: string
  readonly owns?: ReadonlyArray<number>
  readonly ready?: boolean
}

export interface Subscribed {
  readonly name: string
  readonly categories: ReadonlyArray<string>
  readonly partitions: number
  readonly transactional: boolean
}

export interface StartOptions {
  /** The share of attempts that fail. */
  readonly failing?: number
  /** How long the handler takes before it writes, in ms. */
  readonly pauseMs?: number
  /** The lease of the process, where it is not the usual one, in ms. */
  readonly leaseMs?: number
  /** What the server knows its connections by. */
  readonly called?: string
}

/** Processes take their time to start. */
export const patience = { within: 20_000 }

export interface ProcessLog extends ConsumerLog {
  /** A process that works on subscriptions, from when it does. */
  readonly start: (subscriptions: ReadonlyArray<Subscribed>, options?: StartOptions) => Promise<Worker<Said>>
  /** What was handled, in the order in which that was written. */
  readonly handledOf: (
    name: string
  ) => Promise<ReadonlyArray<{ readonly stream: string; readonly n: number }>>
}

/** A log of the test file's own, for processes that work on durable subscriptions. */
export const processLog = (): ProcessLog => {
  const log = consumerLog()
  beforeAll(async () => {
    await log.db.query(
      "create table handled (nth bigserial primary key, subscription text, stream text, n integer)"
    )
  })
  const start: ProcessLog["start"] = async (
    subscriptions,
    { failing = 0, pauseMs = 0, leaseMs, called = "consumer" } = {}
  ) => {
    const url = new URL(log.db.url)
    url.searchParams.set("application_name", called)
    const worker = startWorker<Said>("consumer", {
      input: { database: url.href, subscriptions, failing, pauseMs, leaseMs }
    })
    await worker.saysThat(({ ready }) => ready === true, patience)
    return worker
  }
  const handledOf: ProcessLog["handledOf"] = (name) =>
    log.db.query("select stream, n from handled where subscription = $1 order by nth", [name])
  return Object.defineProperties({ start, handledOf } as ProcessLog, Object.getOwnPropertyDescriptors(log))
}

/** A process works on so many partitions. */
export const owns = (worker: Worker<Said>, name: string, count: number) =>
  until(
    () =>
      worker.said.findLast((said) => said.name === name && said.owns !== undefined)?.owns?.length === count,
    { what: `the worker to own ${count} of ${name}`, ...patience }
  )
