import { spawn } from "node:child_process"
import { existsSync } from "node:fs"
import { rm } from "node:fs/promises"
import path from "node:path"
import { guard } from "../../src/testing/guard.ts"
import { serverEnvironment, serverProcess } from "./server-process.ts"
import { asUser, placeFile, type ServerUser, temporaryDirectory } from "./server-user.ts"

/** An installed PostgreSQL: where its programs are, and who runs them. */
export type Programs = { readonly bin: string; readonly user: ServerUser | undefined }

export type Settings = Readonly<Record<string, string>>

/** "fast" ends sessions and writes a checkpoint; "immediate" is a crash: the next start recovers from the WAL. */
export type Shutdown = "fast" | "immediate"

export type Cluster = AsyncDisposable & {
  /** The superuser's URL of the database `postgres`; the same after a restart. */
  readonly url: string
  readonly port: number
  /** The data directory. */
  readonly directory: string
  /** The last lines of the server's log. */
  readonly log: ReadonlyArray<string>
  /** Resolves when the server accepts connections; rejects with its log when it ends instead. */
  readonly start: (settings?: Settings) => Promise<void>
  readonly stop: (how?: Shutdown) => Promise<void>
  readonly restart: (how?: Shutdown, settings?: Settings) => Promise<void>
  /** Writes a file into the data directory that only the server's user can read; returns its path. */
  readonly place: (name: string, contents: string) => Promise<string>
  /** Stops the server and deletes its data. */
  readonly remove: () => Promise<void>
}

const signals = { fast: "SIGINT", immediate: "SIGQUIT" } as const
const startingWithin = 60_000
const stoppingWithin = 30_000
const readyLine = /database system is ready to accept (read-only )?connections/

const run = async (program: string, args: ReadonlyArray<string>, user: ServerUser | undefined) => {
  const child = spawn(program, args, {
    ...asUser(user),
    env: serverEnvironment(),
    cwd: "/",
    stdio: ["ignore", "pipe", "pipe"]
  })
  const output: Array<Buffer> = []
  child.stdout.on("data", (chunk: Buffer) => output.push(chunk))
  child.stderr.on("data", (chunk: Buffer) => output.push(chunk))
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once("error", reject)
    child.once("close", resolve)
  })
  if (code !== 0) throw new Error(`${program} ended with code ${code}:\n${Buffer.concat(output)}`)
}

/** Makes and starts a PostgreSQL cluster in a temp directory: a new one, or a standby of another. */
export const startCluster = async (
  { bin, user }: Programs,
  settings: Settings = {},
  primary?: Pick<Cluster, "directory" | "port" | "start" | "stop">
): Promise<Cluster> => {
  const home = await temporaryDirectory("cluster", user)
  const directory = path.join(home, "data")
  const callOff = guard({ directories: [home], data: directory })
  const server = serverProcess({ what: "the server", user, readyLine, startingWithin, stoppingWithin })
  let port = 0

  const start = async (more: Settings = {}) => {
    const own = { port: `${port}`, listen_addresses: "127.0.0.1", unix_socket_directories: "" }
    const all: Settings = { ...settings, ...more, ...own }
    const args = Object.entries(all).flatMap(([name, value]) => ["-c", `${name}=${value}`])
    await server.start(path.join(bin, "postgres"), ["-D", directory, ...args])
  }

  const stop = (how: Shutdown = "fast") => server.end(signals[how])

  const restart = async (how?: Shutdown, more?: Settings) => {
    await stop(how)
    await start(more)
  }

  const remove = async () => {
    await stop("immediate")
    await rm(home, { recursive: true, force: true })
    await callOff()
  }

  const place = async (name: string, contents: string) => {
    const file = path.join(directory, name)
    await placeFile(file, contents, user)
    return file
  }

  const initialise = () => {
    const initdb = [
      "-D",
      directory,
      "-U",
      "postgres",
      "--auth=trust",
      "--encoding=UTF8",
      "--locale=C",
      "--no-sync"
    ]
    return run(path.join(bin, "initdb"), initdb, user)
  }

  /** The embedded PostgreSQL has no pg_basebackup; there the primary is stopped for the time of the copy. */
  const copy = async (from: Pick<Cluster, "directory" | "port" | "start" | "stop">) => {
    const backup = path.join(bin, "pg_basebackup")
    if (existsSync(backup)) {
      const server = ["-h", "127.0.0.1", "-p", `${from.port}`, "-U", "postgres"]
      await run(backup, [...server, "-D", directory, "--checkpoint=fast", "--no-sync"], user)
    } else {
      await from.stop()
      await run("cp", ["-a", from.directory, directory], undefined)
      await from.start()
    }
    await place("standby.signal", "")
    // Where `alter system` writes, so that a test may cut it off.
    await place(
      "postgresql.auto.conf",
      `primary_conninfo = 'host=127.0.0.1 port=${from.port} user=postgres'\n`
    )
  }

  try {
    if (primary === undefined) await initialise()
    else await copy(primary)
    await server.atFreePort((free) => {
      port = free
      return start()
    })
  } catch (error) {
    await remove().catch(() => {})
    throw error
  }

  return {
    url: `postgresql://postgres@127.0.0.1:${port}/postgres`,
    port,
    directory,
    log: server.log,
    start,
    stop,
    restart,
    place,
    remove,
    [Symbol.asyncDispose]: remove
  }
}
