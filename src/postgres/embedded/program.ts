import { spawn, type ChildProcess, type StdioOptions } from "node:child_process"
import { once } from "node:events"
import { dirname } from "node:path"
import { BinariesMissing, NoServerUser, noRoom, errorCode, type EmbeddedReason } from "./embedded-error.ts"
import { platformName } from "./host.ts"
import type { ServerUser } from "./server-user.ts"

const NO_ROOM_TEXT = /No space left on device|Disk quota exceeded/
const SET_USER_REFUSED = new Set(["EPERM", "EINVAL", "EAGAIN"])

/** Messages are parsed, so they must not be translated; a fixed zone spares initdb the search for the system's. */
const ENVIRONMENT = { LC_ALL: "C", LANG: "C", TZ: "UTC" }

/** Nothing else is handed on: PGPORT would change what the server does, and its user need not see the caller's secrets. */
const INHERITED = ["PATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "SystemRoot", "TEMP", "TMP", "TMPDIR"]

const environment = (extra: Readonly<Record<string, string>>): NodeJS.ProcessEnv => {
  const inherited = INHERITED.flatMap((name) => {
    const value = process.env[name]
    return value === undefined ? [] : [[name, value]]
  })
  return { ...Object.fromEntries(inherited), ...ENVIRONMENT, ...extra }
}

export interface Run {
  readonly program: string
  readonly args: ReadonlyArray<string>
  readonly user: ServerUser | undefined
  readonly stdio: StdioOptions
  /** In a session of its own: a Ctrl-C in the caller's terminal does not reach it, and it outlives the caller. */
  readonly detached?: boolean
  readonly environment?: Readonly<Record<string, string>>
}

const spawnFailure = (run: Run, cause: unknown): unknown => {
  const code = errorCode(cause) ?? ""
  if (run.user && SET_USER_REFUSED.has(code)) {
    return new NoServerUser({ why: `the system does not let root become ${run.user.name} (${code})` })
  }
  if (code === "ENOENT" || code === "ENOEXEC" || code === "EACCES") {
    const why = `${run.program} does not run here (${code}); it needs a Linux with glibc, macOS or Windows`
    return new BinariesMissing({ platform: platformName, why })
  }
  return cause
}

/** Starts a PostgreSQL program as the server's user; fails when it cannot even be executed. */
export const runProgram = async (run: Run): Promise<ChildProcess> => {
  try {
    const child = spawn(run.program, [...run.args], {
      // The caller's working directory may be closed to the server's user.
      cwd: dirname(run.program),
      env: environment(run.environment ?? {}),
      stdio: run.stdio,
      detached: run.detached ?? false,
      ...(run.user && { uid: run.user.uid, gid: run.user.gid })
    })
    await once(child, "spawn")
    return child
  } catch (cause) {
    throw spawnFailure(run, cause)
  }
}

/** What a program's complaint means, where it means the same whoever says it. */
export const reasonInOutput = (directory: string, output: string): EmbeddedReason | undefined =>
  NO_ROOM_TEXT.test(output) ? noRoom(directory) : undefined
