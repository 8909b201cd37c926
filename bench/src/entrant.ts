import { fork, type ChildProcess } from "node:child_process"
import { once } from "node:events"
import type { Bench } from "./bench.ts"
import type { Seat } from "./entrant-process.ts"
import type { Answer, Input, JobName, Output } from "./jobs.ts"

// 8, 16, 32 and 64 were tried for each peer at 64 callers on two cores: 16 is each one's best or within noise of it.
const CONNECTIONS = 16

/** A contender in a process of its own, so that no library's globals, garbage or timers touch another's numbers. */
export interface Entrant {
  readonly name: string
  readonly database: string
  /** Runs one job on the open store; resolves with what the job found. */
  perform<J extends JobName>(job: J, input: Input<J>): Promise<Output<J>>
  close(): Promise<void>
}

/** What a process says next; rejects when it says that it failed, or ends. */
export const answer = async (child: ChildProcess): Promise<unknown> => {
  const settled = new AbortController()
  const exit = once(child, "exit", { signal: settled.signal }).then(([code]) => {
    throw new Error(`A contender's process ended before its time, with exit code ${String(code)}.`)
  })
  exit.catch(() => {})
  try {
    const [message] = (await Promise.race([once(child, "message", { signal: settled.signal }), exit])) as [
      Answer
    ]
    if ("error" in message) throw new Error(message.error)
    return message.found
  } finally {
    settled.abort()
  }
}

/** Starts a process that opens a contender's store on a database and waits for jobs. */
export const seat = async (
  name: string,
  database: string,
  { install = false, connections = CONNECTIONS } = {}
): Promise<Entrant> => {
  const taken: Seat = { name, database, install, connections }
  const child = fork(new URL("./entrant-process.js", import.meta.url), [JSON.stringify(taken)], {
    // stdout is for figures only.
    stdio: ["ignore", 2, 2, "ipc"]
  })
  await answer(child)
  return {
    name,
    database,
    async perform<J extends JobName>(job: J, input: Input<J>) {
      const found = answer(child)
      child.send({ job, input })
      return (await found) as Output<J>
    },
    async close() {
      if (!child.connected) return
      const exit = once(child, "exit")
      child.disconnect()
      await exit
    }
  }
}

/** Gives a contender a new database and a process, runs `use`, and takes both away again. */
export const entered = async <R>(
  bench: Bench,
  name: string,
  use: (entrant: Entrant) => Promise<R>
): Promise<R> => {
  const database = await bench.server.createDatabase(name)
  const entrant = await seat(name, database, { install: true })
  try {
    return await use(entrant)
  } finally {
    await entrant.close()
    await bench.server.dropDatabase(database)
  }
}

/** The same for several contenders at once, so that they can take turns. */
export const allEntered = async <R>(
  bench: Bench,
  names: ReadonlyArray<string>,
  use: (entrants: ReadonlyArray<Entrant>) => Promise<R>,
  before: ReadonlyArray<Entrant> = []
): Promise<R> => {
  const [first, ...rest] = names
  if (first === undefined) return use(before)
  return entered(bench, first, (entrant) => allEntered(bench, rest, use, [...before, entrant]))
}
