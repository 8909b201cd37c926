import { execFileSync, spawn, type ChildProcess } from "node:child_process"
import { once } from "node:events"
import { chmodSync, chownSync, cpSync, existsSync, mkdirSync, readFileSync, rmSync } from "node:fs"
import { mkdtempSync } from "node:fs"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { Effect } from "effect"
import pg from "pg"
import { EmbeddedError, type EmbeddedReason } from "../../src/postgres/embedded/embedded-error.ts"
import { EmbeddedHost, type Host } from "../../src/postgres/embedded/host.ts"
import { pidIsAlive } from "../../src/postgres/embedded/process-identity.ts"
import {
  embeddedServer,
  type EmbeddedOptions,
  type EmbeddedServer
} from "../../src/postgres/embedded/server.ts"
import { isRoot, serverUser } from "../../src/postgres/embedded/server-user.ts"
import { startWorker, type Worker } from "../support/process.ts"

// What the tests of the embedded server share: places to put it, processes that use it, and ways to look at it.

export type Place = Disposable & { readonly path: string; readonly home: string }

const SHARED_MODE = 0o755
const PRIVATE_MODE = 0o700

/** A temporary directory that any account may enter, as most clones are, or that only its owner may. */
export const place = (mode: "shared" | "private" = "shared"): Place => {
  const path = mkdtempSync(join(tmpdir(), "tidemark-embedded-"))
  chmodSync(path, mode === "shared" ? SHARED_MODE : PRIVATE_MODE)
  return {
    path,
    home: join(path, ".tidemark"),
    [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true })
  }
}

export const host = (changes: Partial<Host> = {}): Host => ({ ...EmbeddedHost.defaultValue(), ...changes })

/** Uses the server for the length of `use`. */
export const withServer = <A>(
  options: EmbeddedOptions,
  use: (server: EmbeddedServer) => Promise<A> | A,
  changes: Partial<Host> = {}
): Promise<A> =>
  embeddedServer(options).pipe(
    Effect.flatMap((server) => Effect.promise(async () => use(server))),
    Effect.scoped,
    Effect.provideService(EmbeddedHost, host(changes)),
    Effect.runPromise
  )

/** Why the server does not start; fails when it does. */
export const refusal = async (
  options: EmbeddedOptions,
  changes: Partial<Host> = {}
): Promise<EmbeddedReason> => {
  try {
    await withServer(options, () => undefined, changes)
  } catch (error) {
    if (error instanceof EmbeddedError) return error.reason
    throw error
  }
  throw new Error("the embedded server started, although it should not have")
}

export const query = async (url: string, sql: string): Promise<ReadonlyArray<Record<string, unknown>>> => {
  const client = new pg.Client({ connectionString: url })
  client.on("error", () => undefined)
  await client.connect()
  try {
    return (await client.query<Record<string, unknown>>(sql)).rows
  } finally {
    await client.end()
  }
}

/** The pid of the server whose data are in this home, running or not; undefined when there is no lock file. */
export const postmasterPid = (home: string): number | undefined => {
  const file = join(home, "data", "postmaster.pid")
  return existsSync(file) ? Number(readFileSync(file, "utf8").split("\n", 1).join("")) : undefined
}

export const isRunning = (home: string): boolean => {
  const pid = postmasterPid(home)
  return pid !== undefined && pidIsAlive(pid)
}

export type Said = {
  readonly entered?: EmbeddedServer
  readonly notices?: ReadonlyArray<string>
  readonly failed?: string
  readonly left?: boolean
  readonly milliseconds?: number
}

type UserOptions = {
  readonly native?: string
  readonly shelters?: ReadonlyArray<string>
  readonly umask?: number
}

/** A process of its own that uses the server in `directory`. */
export const startUser = (directory: string, options: UserOptions = {}): Worker<Said> =>
  startWorker<Said>("embedded-user", { input: { directory, ...options } })

/** A busy machine needs its time to copy the binaries and to make a cluster. */
const ENTERED_WITHIN_MS = 25_000

export const entered = async (user: Worker<Said>): Promise<EmbeddedServer> => {
  const [said] = await user.says(1, { what: "the process to enter", within: ENTERED_WITHIN_MS })
  if (said?.entered) return said.entered
  throw new Error(`the process could not enter: ${said?.failed}`)
}

export const leaves = async (user: Worker<Said>): Promise<void> => {
  user.send("leave")
  await user.exited
}

/** Gives a path to whom the server runs as, which matters to root only. */
export const giveToServer = (path: string): void => {
  const user = serverUser(host(), () => undefined)
  if (user) chownSync(path, user.uid, user.gid)
}

const NOBODY = 65_534

/** Runs synchronous code without root's power to write everywhere. */
export const asOrdinaryUser = <A>(run: () => A): A => {
  if (!isRoot()) return run()
  process.setegid?.(NOBODY)
  process.seteuid?.(NOBODY)
  try {
    return run()
  } finally {
    process.seteuid?.(0)
    process.setegid?.(0)
  }
}

/** A program that sleeps, run as the server's user: a pid that the server may not be taken for. */
export const sleeper = async (): Promise<ChildProcess & Disposable> => {
  const user = serverUser(host(), () => undefined)
  const child = spawn("sleep", ["60"], {
    cwd: "/",
    stdio: "ignore",
    ...(user && { uid: user.uid, gid: user.gid })
  })
  await once(child, "spawn")
  return Object.assign(child, { [Symbol.dispose]: () => void child.kill("SIGKILL") })
}

/** A copy of the binary package as `npm ci --ignore-scripts` leaves it: without the links of its libraries. */
export const packageWithoutLinks = (folder: string): string => {
  const source = dirname(host().nativeFolder())
  const native = join(folder, "package", "native")
  const { links } = linksOf(source)
  cpSync(source, dirname(native), {
    recursive: true,
    verbatimSymlinks: true,
    filter: (path) => !links.has(path)
  })
  return native
}

type Links = { readonly links: ReadonlySet<string> }

const linksOf = (packageFolder: string): Links => {
  const list: ReadonlyArray<{ readonly target: string }> = JSON.parse(
    readFileSync(join(packageFolder, "native", "pg-symlinks.json"), "utf8")
  )
  return { links: new Set(list.map(({ target }) => join(packageFolder, target))) }
}

export const missingLinks = (native: string): ReadonlyArray<string> =>
  [...linksOf(dirname(native)).links].filter((link) => !existsSync(link))

export type SmallDisk = Disposable & { readonly path: string; readonly isReal: boolean }

/** A disk of so many MiB; where the system lets us mount none, a plain folder that says it is not real. */
export const smallDisk = (folder: string, mebibytes: number): SmallDisk => {
  const path = join(folder, "disk")
  mkdirSync(path)
  try {
    const options = `size=${mebibytes}m,mode=755`
    execFileSync("mount", ["-t", "tmpfs", "-o", options, "tmpfs", path], { stdio: "ignore" })
    return { path, isReal: true, [Symbol.dispose]: () => void execFileSync("umount", [path]) }
  } catch {
    return { path, isReal: false, [Symbol.dispose]: () => undefined }
  }
}
