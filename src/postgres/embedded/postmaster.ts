import type { ChildProcess } from "node:child_process"
import { closeSync, openSync, readFileSync } from "node:fs"
import { basename, isAbsolute, join } from "node:path"
import { setTimeout as delay } from "node:timers/promises"
import type { Binaries } from "./binaries.ts"
import { DirectoryInUse, NoFreePort, ServerDidNotStart, type EmbeddedReason } from "./embedded-error.ts"
import type { Home } from "./home.ts"
import { LOOPBACK } from "./port.ts"
import { pidIsAlive } from "./process-identity.ts"
import { reasonInOutput, runProgram } from "./program.ts"
import { lastLines, logSince, logSize, trimLog } from "./server-log.ts"

/** What postmaster.pid tells about the server of a data directory. */
export interface Postmaster {
  readonly pid: number
  readonly port: number
  readonly status: string
}

/** The states that postmaster.pid tells and that we act upon. */
export const STOPPING = "stopping"
const READY = "ready"

const PID_LINE = 0
const PORT_LINE = 3
const STATUS_LINE = 7
const POLL_MS = 3
/** Crash recovery of a large write-ahead log takes a while; a server that is still at it is left alone that long. */
const READY_WITHIN_MS = 120_000
/** How long the last children of a killed server may need to notice its death. */
const ORPHANS_GONE_WITHIN_MS = 10_000
const ORPHAN_RETRY_MS = 50

/** Sensible on a two-core laptop; the caller's settings come after and win. */
const SETTINGS: Readonly<Record<string, string>> = {
  listen_addresses: LOOPBACK,
  // A socket's path may be 107 bytes long at most, which a deep directory exceeds.
  unix_socket_directories: "",
  shared_buffers: "128MB",
  max_connections: "100",
  jit: "off",
  log_checkpoints: "off",
  // A failed statement's text may hold data, which belong in no log.
  log_min_error_statement: "panic"
}

export const readPostmaster = (home: Home): Postmaster | undefined => {
  try {
    const lines = readFileSync(join(home.data, "postmaster.pid"), "utf8").split("\n")
    const pid = Math.abs(Number(lines[PID_LINE]))
    if (!Number.isInteger(pid) || pid === 0) return undefined
    return { pid, port: Number(lines[PORT_LINE] ?? 0), status: (lines[STATUS_LINE] ?? "").trim() }
  } catch {
    return undefined
  }
}

/** After a reboot the pid in the file may be any program's; the command line tells, where the system shows it. */
const isServerOf = (home: Home, pid: number): boolean => {
  if (!pidIsAlive(pid)) return false
  try {
    const [program = "", ...args] = readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0")
    if (!["postgres", "postmaster", "postgres.exe"].includes(basename(program))) return false
    const data = args[args.indexOf("-D") + 1]
    return !args.includes("-D") || data === undefined || !isAbsolute(data) || data === home.data
  } catch {
    return true
  }
}

/** The server that runs on this data directory now, whoever started it. */
export const runningPostmaster = (home: Home): Postmaster | undefined => {
  const postmaster = readPostmaster(home)
  return postmaster && isServerOf(home, postmaster.pid) ? postmaster : undefined
}

/** Waits until a server that somebody started is ready; undefined when it is gone, or goes, instead. */
export const awaitPostmaster = async (home: Home): Promise<Postmaster | undefined> => {
  const deadline = Date.now() + READY_WITHIN_MS
  for (;;) {
    const found = runningPostmaster(home)
    if (found === undefined || found.status === READY) return found
    if (Date.now() > deadline) {
      const holder = `PostgreSQL process ${found.pid}, which is "${found.status}" for ${READY_WITHIN_MS} ms`
      throw new DirectoryInUse({ directory: home.directory, holder })
    }
    await delay(POLL_MS)
  }
}

const CANNOT_BIND = /could not bind IPv4 address "[^"]*": (.*)/
const ORPHANS_LIVE = "is still in use"
const OTHER_SERVER = /lock file "postmaster.pid" already exists/

const reasonForExit = (home: Home, port: number, child: ChildProcess, output: string): EmbeddedReason => {
  const bind = CANNOT_BIND.exec(output)?.[1]
  if (bind !== undefined) return new NoFreePort({ port, why: bind.toLowerCase() })
  if (OTHER_SERVER.test(output)) {
    const holder = `PostgreSQL process ${readPostmaster(home)?.pid}`
    return new DirectoryInUse({ directory: home.directory, holder })
  }
  const why = `it ended with ${child.exitCode ?? child.signalCode}`
  return (
    reasonInOutput(home.directory, output) ??
    new ServerDidNotStart({ directory: home.directory, why, log: lastLines(output) })
  )
}

const hasEnded = (child: ChildProcess): boolean => child.exitCode !== null || child.signalCode !== null

const spawnServer = async (
  binaries: Binaries,
  home: Home,
  port: number,
  settings: Readonly<Record<string, string>>
): Promise<ChildProcess> => {
  const all = Object.entries({ ...SETTINGS, ...settings })
  const stale = readPostmaster(home)?.pid
  const log = openSync(home.log, "a", 0o600)
  try {
    const child = await runProgram({
      program: binaries.postgres,
      args: [
        "-D",
        home.data,
        "-p",
        String(port),
        ...all.flatMap(([name, value]) => ["-c", `${name}=${value}`])
      ],
      user: home.user,
      stdio: ["ignore", log, log],
      detached: true,
      // PostgreSQL takes a living pid in its old lock file for a rival, unless it is its grandparent's. We know better,
      // and it still looks for orphans of the old server itself, which it would not if we removed the file.
      ...(stale !== undefined && { environment: { PG_GRANDPARENT_PID: String(stale) } })
    })
    child.unref()
    return child
  } finally {
    closeSync(log)
  }
}

const startOnce = async (
  binaries: Binaries,
  home: Home,
  port: number,
  settings: Readonly<Record<string, string>>
): Promise<Postmaster | string> => {
  const logStart = logSize(home.log)
  const child = await spawnServer(binaries, home, port, settings)
  const deadline = Date.now() + READY_WITHIN_MS
  for (;;) {
    const found = readPostmaster(home)
    if (found?.pid === child.pid && found?.status === READY) return found
    if (hasEnded(child)) {
      const output = logSince(home.log, logStart)
      if (output.includes(ORPHANS_LIVE)) return output
      throw reasonForExit(home, port, child, output)
    }
    if (Date.now() > deadline) {
      child.kill("SIGQUIT")
      const why = `it was not ready within ${READY_WITHIN_MS} ms`
      throw new ServerDidNotStart({
        directory: home.directory,
        why,
        log: lastLines(logSince(home.log, logStart))
      })
    }
    await delay(POLL_MS)
  }
}

/** Starts the server in a session of its own and waits until it accepts connections. */
export const startPostmaster = async (
  binaries: Binaries,
  home: Home,
  port: number,
  settings: Readonly<Record<string, string>>
): Promise<Postmaster> => {
  trimLog(home.log)
  const deadline = Date.now() + ORPHANS_GONE_WITHIN_MS
  for (;;) {
    const started = await startOnce(binaries, home, port, settings)
    if (typeof started !== "string") return started
    if (Date.now() > deadline) {
      const holder = "processes of a server that died"
      throw new DirectoryInUse({ directory: home.directory, holder })
    }
    await delay(ORPHAN_RETRY_MS)
  }
}
