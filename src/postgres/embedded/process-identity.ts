import { spawnSync } from "node:child_process"
import { existsSync, readFileSync } from "node:fs"

/** A process that is never mistaken for a later one with the same pid: `<pid>.<when it started>`. */
export type ProcessIdentity = string

const STATE_FIELD = 0
const START_FIELD = 19
const BOOT_ID_FILE = "/proc/sys/kernel/random/boot_id"
const BOOT_ID_LENGTH = 8
const hasProc = existsSync("/proc/self/stat")

const bootId = (() => {
  try {
    return readFileSync(BOOT_ID_FILE, "utf8").slice(0, BOOT_ID_LENGTH)
  } catch {
    return "0"
  }
})()

const startInProc = (pid: number): string | undefined => {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8")
    // The second field is the program's name in parentheses, which may itself hold spaces and parentheses.
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ")
    const dead = fields[STATE_FIELD] === "Z" || fields[STATE_FIELD] === "X"
    return dead ? undefined : `${fields[START_FIELD]}-${bootId}`
  } catch {
    return undefined
  }
}

const startFromPs = (pid: number): string | undefined => {
  const started = spawnSync("ps", ["-o", "lstart=", "-p", String(pid)], { encoding: "utf8" }).stdout ?? ""
  return started.trim().replaceAll(/\W+/g, "-") || undefined
}

const answersSignals = (pid: number): boolean => {
  try {
    process.kill(pid, 0)
    return true
  } catch (cause) {
    return cause instanceof Error && "code" in cause && cause.code === "EPERM"
  }
}

const startOf = (pid: number): string | undefined => {
  if (hasProc) return startInProc(pid)
  return answersSignals(pid) ? (startFromPs(pid) ?? "unknown") : undefined
}

/** Whether any process has this pid now; a zombie does not count. */
export const pidIsAlive = (pid: number): boolean => startOf(pid) !== undefined

export const pidOf = (identity: ProcessIdentity): number => Number.parseInt(identity, 10)

/** Whether the very process that once named itself so still runs. */
export const isAlive = (identity: ProcessIdentity): boolean => {
  const pid = pidOf(identity)
  return pid > 0 && identity === `${pid}.${startOf(pid)}`
}

export const thisProcess: ProcessIdentity = `${process.pid}.${startOf(process.pid)}`
