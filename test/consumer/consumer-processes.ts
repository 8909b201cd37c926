import { beforeAll } from "vitest"
import { until } from "../support/eventually.ts"
import { startWorker, type Worker } from "../support/process.ts"
import { type ConsumerLog, consumerLog } from "./scene.ts"

// Processes that work on durable subscriptions, and note in a table what they have handled.

export interface Said {
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

export interface ConsumerProcesses {
  readonly log: ConsumerLog
  /** Resolves when the process has subscribed. */
  readonly start: (subscriptions: ReadonlyArray<Subscribed>, how?: How) => Promise<Worker<Said>>
  /** What was handled of a subscription, in the order in which that was noted. */
  readonly handledOf: (
    name: string
  ) => Promise<ReadonlyArray<{ readonly stream: string; readonly n: number }>>
}

interface How {
  /** The share of attempts that fail. */
  readonly failing?: number
  /** How long the handler takes before it writes, in ms. */
  readonly pauseMs?: number
  /** The lease of the process, where it is not the usual one, in ms. */
  readonly leaseMs?: number
  /** What the server knows its connections by. */
  readonly called?: string
}

/** Starting Node and an engine takes its time on a busy machine, in ms. */
export const patience = { within: 20_000 }

/** A log of the test file's own, with the table. */
export const consumerProcesses = (): ConsumerProcesses => {
  const log = consumerLog()
  beforeAll(async () => {
    await log.db.query(
      "create table handled (nth bigserial primary key, subscription text, stream text, n integer)"
    )
  })
  return {
    log,
    start: async (subscriptions, { failing = 0, pauseMs = 0, leaseMs, called = "consumer" } = {}) => {
      const url = new URL(log.db.url)
      url.searchParams.set("application_name", called)
      const input = { database: url.href, subscriptions, failing, pauseMs, leaseMs }
      const worker = startWorker<Said>("consumer", { input })
      await worker.saysThat(({ ready }) => ready === true, patience)
      return worker
    },
    handledOf: (name) =>
      log.db.query("select stream, n from handled where subscription = $1 order by nth", [name])
  }
}

/** A process works on so many partitions. */
export const owns = (worker: Worker<Said>, name: string, count: number) =>
  until(
    () =>
      worker.said.findLast((said) => said.name === name && said.owns !== undefined)?.owns?.length === count,
    { what: `the worker to own ${count} of ${name}`, ...patience }
  )
