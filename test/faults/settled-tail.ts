import { setTimeout as pause } from "node:timers/promises"
import { expect } from "vitest"
import type { Engine } from "../../src/index.ts"
import { History, type Seen } from "../support/history.ts"
import { startWorker, type Worker } from "../support/process.ts"
import { random } from "../support/random.ts"
import { meant, toEmit, wholeLog } from "./scene.ts"
import { openSession, type Session } from "./session.ts"
import * as writers from "./writers.ts"

export type SettledTailOptions = {
  readonly seed: number
  readonly database: string
  /** Another database of the same server. */
  readonly otherDatabase: string
  readonly engine: Engine
  /** How many transactions each writer makes. */
  readonly transactions: number
  readonly readers: number
  /** The readers start at random moments up to here, in ms. */
  readonly readersStartWithin: number
}

/** Sixteen; ten of them in plain SQL, each on a connection of its own, and the emitters on two more. */
const crew: ReadonlyArray<writers.Writer> = [
  ...Array.from({ length: 3 }, () => writers.functionWriter),
  ...Array.from({ length: 2 }, () => writers.preparedWriter),
  ...Array.from({ length: 2 }, () => writers.insertWriter),
  writers.preparedInsertWriter,
  ...Array.from({ length: 2 }, () => writers.partitionWriter),
  ...Array.from({ length: 4 }, () => writers.transactionWriter),
  ...Array.from({ length: 2 }, () => writers.emitWriter)
]

/** A transaction that has written, has nothing to do with the log, and stays open. */
const openUnrelated = async (url: string): Promise<Session> => {
  const session = await openSession(url)
  await session.query("create table if not exists unrelated (text text)")
  await session.query("begin")
  await session.query("insert into unrelated values ('open all the while')")
  return session
}

const isOpen = async (session: Session): Promise<boolean> => {
  const [row] = await session.query<{ open: boolean }>(
    "select pg_current_xact_id_if_assigned() is not null as open"
  )
  return row!.open
}

const startedReader = async (database: string, afterMs: number): Promise<Worker<Seen>> => {
  await pause(afterMs)
  return startWorker<Seen>("reader", { input: { database } })
}

/** Many unlike writers at once, while processes read: all of it reaches each reader, and nothing unrelated holds it up. */
export const settledTail = async (options: SettledTailOptions): Promise<{ readonly events: number }> => {
  const { seed, database, otherDatabase, engine, transactions } = options
  const history = new History()
  const unrelated = [await openUnrelated(database), await openUnrelated(otherDatabase)]
  const { between } = random(seed)
  const starting = Array.from({ length: options.readers }, () =>
    startedReader(database, between(0, options.readersStartWithin))
  )
  try {
    await Promise.all(
      crew.map((write, number) =>
        write({ number, url: database, engine, history, random: random(seed + number + 1), transactions })
      )
    )
    const readers = await Promise.all(starting)
    const written = await wholeLog(database)
    const caughtUp = await Promise.allSettled(
      readers.map((reader) => reader.says(written.length, { within: 20_000 }))
    )
    if (caughtUp.some(({ status }) => status === "rejected")) {
      readers.forEach((reader, number) => reader.said.forEach(history.reads(`reader ${number + 1}`)))
      expect(history.violations(written)).toEqual([])
    }
    expect(await Promise.all(unrelated.map(isOpen))).toEqual([true, true])

    for (const session of unrelated) await session.query("commit")
    const last = meant("order-last")
    history.sent(last)
    history.acknowledged((await engine.emit("order-last", toEmit(last))).events)
    await Promise.all(readers.map((reader) => reader.saysThat((event) => event.id === last[0]!.id)))
    readers.forEach((reader, number) => reader.said.forEach(history.reads(`reader ${number + 1}`)))
    expect(history.unanswered).toBe(0)
    expect(history.violations(await wholeLog(database))).toEqual([])
    return { events: written.length }
  } finally {
    for (const session of unrelated) await session.close()
    for (const reader of await Promise.all(starting)) await reader.kill()
  }
}
