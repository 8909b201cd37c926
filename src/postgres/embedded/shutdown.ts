import { setTimeout as delay } from "node:timers/promises"
import type { Home } from "./home.ts"
import { runningPostmaster } from "./postmaster.ts"
import { pidIsAlive } from "./process-identity.ts"

/** PostgreSQL's names for how to stop, and the signals that ask for it. */
const FAST = "SIGINT"
const IMMEDIATE = "SIGQUIT"

const POLL_MS = 3
/** Writing out 128 MB of buffers takes a second or two; the next start makes up for what was not written. */
const FAST_WITHIN_MS = 10_000
/** PostgreSQL itself kills children that have not gone five seconds after an immediate shutdown began. */
const IMMEDIATE_WITHIN_MS = 10_000

const signal = (pid: number, name: NodeJS.Signals): boolean => {
  try {
    return process.kill(pid, name)
  } catch {
    return false
  }
}

const isGone = async (pid: number, withinMs: number): Promise<boolean> => {
  const deadline = Date.now() + withinMs
  while (pidIsAlive(pid)) {
    if (Date.now() > deadline) return false
    await delay(POLL_MS)
  }
  return true
}

/** Asks for a fast shutdown: sessions are ended, data are written; false when no server runs. */
export const signalStop = (home: Home): boolean => {
  const postmaster = runningPostmaster(home)
  return postmaster !== undefined && signal(postmaster.pid, FAST)
}

/**
 * Stops the server and waits until it is gone. A server that crashed (a full disk is enough) and is asked to stop before
 * it has recovered waits forever for children that nobody told to end: PostgreSQL 18 does so. An immediate shutdown ends
 * it; what was committed is in its write-ahead log.
 */
export const stopPostmaster = async (home: Home, fastWithinMs = FAST_WITHIN_MS): Promise<void> => {
  const pid = runningPostmaster(home)?.pid
  if (pid === undefined || !signal(pid, FAST)) return
  if (await isGone(pid, fastWithinMs)) return
  signal(pid, IMMEDIATE)
  await isGone(pid, IMMEDIATE_WITHIN_MS)
}
