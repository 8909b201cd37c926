import { linkSync, readFileSync, readdirSync, rmSync, truncateSync, writeFileSync } from "node:fs"
import { randomBytes } from "node:crypto"
import { dirname, join } from "node:path"
import { setTimeout as delay } from "node:timers/promises"
import { DirectoryInUse, errorCode } from "./embedded-error.ts"
import { isAlive, pidOf, thisProcess } from "./process-identity.ts"

/**
 * A lock between processes that outlives none of its owners. Turns are numbered files; the highest one counts, holds its
 * owner's identity, and is empty once given back. A dead owner needs no clean-up: the next process takes the next turn.
 * Because the highest turn is only ever removed after a higher one exists, nobody can remove a lock that is in force,
 * which is what goes wrong when a stale lock file is deleted by two processes at once.
 */
export interface Lock {
  release(): void
}

const TURN = /^turn-(\d+)$/
const POLL_MS = 5
/** Longer than any initdb or crash recovery that an owner may be waiting for. */
const WAIT_MS = 150_000

const turnsIn = (folder: string): ReadonlyArray<number> =>
  readdirSync(folder).flatMap((name) => {
    const number = TURN.exec(name)?.[1]
    return number === undefined ? [] : [Number(number)]
  })

const highestIn = (folder: string): number => Math.max(0, ...turnsIn(folder))
const fileOf = (folder: string, turn: number): string => join(folder, `turn-${turn}`)

const ownerOf = (folder: string, turn: number): string => {
  try {
    return readFileSync(fileOf(folder, turn), "utf8")
  } catch {
    return ""
  }
}

/** Creates the file with its content in one step; false when the turn is already taken. */
const claim = (folder: string, turn: number): boolean => {
  const draft = join(folder, `draft-${randomBytes(6).toString("hex")}`)
  try {
    writeFileSync(draft, thisProcess, { mode: 0o600 })
    linkSync(draft, fileOf(folder, turn))
    return true
  } catch (cause) {
    if (errorCode(cause) === "EEXIST") return false
    throw cause
  } finally {
    rmSync(draft, { force: true })
  }
}

/** Takes the lock of an existing folder if it is free now. */
export const tryLock = (folder: string): Lock | undefined => {
  const last = highestIn(folder)
  if (isAlive(ownerOf(folder, last))) return undefined
  const mine = last + 1
  if (!claim(folder, mine)) return undefined
  // A slow reader of the folder may have claimed a turn that was used up and removed meanwhile.
  if (highestIn(folder) !== mine) {
    rmSync(fileOf(folder, mine), { force: true })
    return undefined
  }
  for (const turn of turnsIn(folder)) if (turn < mine) rmSync(fileOf(folder, turn), { force: true })
  return { release: () => truncateSync(fileOf(folder, mine)) }
}

/** Waits for the lock; fails with DirectoryInUse when its owner keeps it too long. */
export const lock = async (folder: string): Promise<Lock> => {
  const deadline = Date.now() + WAIT_MS
  for (;;) {
    const taken = tryLock(folder)
    if (taken) return taken
    if (Date.now() > deadline) {
      const owner = pidOf(ownerOf(folder, highestIn(folder)))
      throw new DirectoryInUse({
        directory: dirname(folder),
        holder: `process ${owner}, which holds its lock`
      })
    }
    await delay(POLL_MS)
  }
}
