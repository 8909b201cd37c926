import { connected } from "../support/admin.ts"
import { until } from "../support/eventually.ts"
import { startWorker, type Worker } from "../support/process.ts"

// What the tests of the fleet share: processes that keep the read models of a log, and what the log says of them.

export interface Said {
  readonly opened?: boolean
  readonly asked?: number
  readonly folds?: boolean
}

export interface Owned {
  readonly name: string
  readonly owner: string | null
  readonly epoch: number
  readonly pid: number | null
}

export const owners = (url: string): Promise<ReadonlyArray<Owned>> =>
  connected(url, async (client) => {
    const { rows } = await client.query<Owned>(
      `select name, owner, projections.epoch, pid
       from tidemark.projections left join tidemark.engines on engine = owner order by name`
    )
    return rows
  })

export interface FolderOptions {
  readonly skewMs?: number
  readonly leaseMs?: number
}

/** Short, for tests that wait for it to end. */
const LEASE_MS = 1_500

/** A process that keeps the read models, from when it is open. */
export const startFolder = async (
  database: string,
  { skewMs = 0, leaseMs = LEASE_MS }: FolderOptions = {}
): Promise<Worker<Said>> => {
  const worker = startWorker<Said>("folder", { input: { database, skewMs, leaseMs } })
  await worker.says(1, { within: 20_000 })
  return worker
}

let questions = 0

/** Whether a process believes that it folds all of them. */
export const folds = async (worker: Worker<Said>): Promise<boolean> => {
  const asked = (questions += 1)
  worker.send(asked)
  return (await worker.saysThat((said) => said.asked === asked)).folds === true
}

/** Waits until one process owns all read models. */
export const ownedBy = (url: string, pid: number): Promise<ReadonlyArray<Owned>> =>
  until(
    async () => {
      const all = await owners(url)
      return all.length > 0 && all.every((one) => one.pid === pid) && all
    },
    { within: 20_000, what: `process ${pid} to own the read models` }
  )
