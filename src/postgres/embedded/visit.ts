import type { Home } from "./home.ts"
import { lock, tryLock, type Lock } from "./lock.ts"
import { runningPostmaster } from "./postmaster.ts"
import { signalStop, stopPostmaster } from "./shutdown.ts"
import { countUsers, enterUser } from "./users.ts"

/** One use of the embedded server, from entering to leaving. */
export interface Visit {
  /** Leaves, and stops the server when no living process uses it any more. */
  leave(): Promise<void>
  /** Leaves a server that is not ours to stop, or that never ran. To be called by the holder of the lock. */
  withdraw(): void
  /** Leaves as `leave` does. To be called by the holder of the lock. */
  leaveLocked(): Promise<void>
}

const EXIT_LOCK_WITHIN_MS = 500
const EXIT_STOPPING_WITHIN_MS = 1000
const POLL_MS = 2
const visits = new Map<Visit, () => void>()

/** An exiting process can wait for nothing but this. */
const sleep = (): void => void Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, POLL_MS)

const lockAtExit = (home: Home): Lock | undefined => {
  const deadline = Date.now() + EXIT_LOCK_WITHIN_MS
  for (;;) {
    const held = tryLock(home.lock)
    if (held || Date.now() > deadline) return held
    sleep()
  }
}

/** Once the server says that it is stopping, who comes next knows not to join it. */
const stopAtExit = (home: Home): void => {
  const deadline = Date.now() + EXIT_STOPPING_WITHIN_MS
  if (!signalStop(home)) return
  while (runningPostmaster(home)?.status === "ready" && Date.now() < deadline) sleep()
}

const leaveAtExit = (home: Home, remove: () => void): void => {
  try {
    const held = lockAtExit(home)
    remove()
    if (held && countUsers(home.users) === 0) stopAtExit(home)
    held?.release()
  } catch {
    // The directory is gone or the disk is full: an exit is too late to mend either.
  }
}

const onExit = (): void => {
  for (const leaveNow of visits.values()) leaveNow()
}

const remember = (visit: Visit, leaveNow: () => void): void => {
  if (visits.size === 0) process.on("exit", onExit)
  visits.set(visit, leaveNow)
}

const forget = (visit: Visit): void => {
  visits.delete(visit)
  if (visits.size === 0) process.off("exit", onExit)
}

/** A full disk leaves no room for a lock, and is no reason to leave a server running. */
const lockIfPossible = (home: Home): Promise<Lock | undefined> => lock(home.lock).catch(() => undefined)

/**
 * Registers this process as a user. A process that ends without leaving, but not by a signal, leaves on exit; one that was
 * killed is noticed by the next that leaves. To be called by the holder of the lock.
 */
export const beginVisit = (home: Home): Visit => {
  const entry = enterUser(home.users)
  const visit: Visit = {
    withdraw: () => {
      forget(visit)
      entry.remove()
    },
    leaveLocked: async () => {
      visit.withdraw()
      if (countUsers(home.users) === 0) await stopPostmaster(home)
    },
    leave: async () => {
      const held = await lockIfPossible(home)
      try {
        await visit.leaveLocked()
      } finally {
        held?.release()
      }
    }
  }
  remember(visit, () => leaveAtExit(home, entry.remove))
  return visit
}
