import { Effect } from "effect"
import { LockTimeout, PostgresError } from "../postgres/error.ts"
import type { Ask } from "./register.ts"

/**
 * How long a change of a subscription waits for those who are at work on it, in ms: for longer than it takes their engines to be
 * told (2 s where NOTIFY does not arrive), a handler to be cut short (1 s), and the server to end a transaction that sits idle (3 s).
 */
export const TAKE_MS = 10_000

/** How often it is tried meanwhile, in ms. */
const TRY_AGAIN_MS = 20

interface TakenRow {
  readonly taken: ReadonlyArray<number>
  readonly partitions: number
}

interface HolderRow {
  readonly partition: number
  readonly application: string | null
  readonly host: string | null
  readonly pid: number | null
  readonly backend: number | null
  readonly session: string | null
  readonly age_ms: number | null
}

const holderText = (row: HolderRow): string => {
  const { partition, application, host, pid, backend, session, age_ms: ageMs } = row
  const engine = application === null ? "nobody" : `${application} on ${host} (pid ${pid})`
  const named = session === null || session === "" ? "" : ` of ${session}`
  const age = ageMs === null ? "" : ` for ${Math.round(ageMs)} ms`
  const transaction =
    backend === null ? "a transaction that is over now" : `server process ${backend}${named}${age}`
  return `partition ${partition}, of ${engine}, by ${transaction}`
}

/** PostgreSQL's own words for a lock that was not free say nothing of whose it is. */
export const lockTimeout = (name: string, holders: string): PostgresError => {
  const detail = `subscription ${JSON.stringify(name)} was in use for ${TAKE_MS} ms: ${holders}`
  return new PostgresError({ reason: new LockTimeout({ detail }) })
}

/**
 * Ends the epochs of all partitions of a subscription, so that their owners have to give them up, in a transaction that has locked the subscription already. Its owners are
 * told where one is at work in a transaction: they see the lock, end that soon, and begin no other. Fails with LockTimeout, which
 * says who is at what.
 */
export const takeAll = Effect.fnUntraced(function* (name: string, ask: Ask, tell: Effect.Effect<void>) {
  const endsAt = performance.now() + TAKE_MS
  const taken: Array<number> = []
  for (let tries = 0; ; tries += 1) {
    const [row] = yield* ask<TakenRow>("take_partitions", [name, taken])
    taken.push(...row!.taken)
    if (taken.length >= row!.partitions) return
    if (performance.now() >= endsAt) {
      const holders = yield* ask<HolderRow>("partition_holders", [name, taken])
      return yield* Effect.fail(lockTimeout(name, holders.map(holderText).join("; ")))
    }
    if (tries === 0) yield* tell
    yield* Effect.sleep(TRY_AGAIN_MS)
  }
})
