import { existsSync } from "node:fs"
import { rm } from "node:fs/promises"
import path from "node:path"
import { Client } from "pg"
import { guard } from "../../src/testing/guard.ts"
import { serverProcess } from "./server-process.ts"
import { placeFile, serverUser, temporaryDirectory } from "./server-user.ts"

/** Where Debian installs PgBouncer. */
const program = "/usr/sbin/pgbouncer"

const clientUser = "anybody"
const poolMode = "transaction"
const startingWithin = 20_000
const stoppingWithin = 20_000
const readyLine = /process up: PgBouncer/

export type PoolerSettings = Readonly<Record<string, string>>

/** A PgBouncer in transaction mode in front of one server; end it with `stop`, or declare it with `await using`. */
export type Pooler = AsyncDisposable & {
  /** As the URL of the database behind it, by way of the pooler. */
  readonly url: (database: string) => string
  /** Runs a command of its console, such as PAUSE. */
  readonly command: (text: string) => Promise<ReadonlyArray<Readonly<Record<string, unknown>>>>
  /** Leads to another server from the next RELOAD on. */
  readonly lead: (target: string) => Promise<void>
  /** Ends it, with whatever goes through it, and starts it at the same port. */
  readonly restart: () => Promise<void>
  readonly stop: () => Promise<void>
  /** The last lines of its log. */
  readonly log: ReadonlyArray<string>
}

/** Every client comes in as whoever the target's URL names: what is tested here is not signing in. */
const configuration = (target: URL, home: string, port: number, settings: PoolerSettings): string => {
  const at = `host=${target.hostname} port=${target.port || "5432"} user=${decodeURIComponent(target.username)}`
  const password = target.password === "" ? "" : ` password=${decodeURIComponent(target.password)}`
  const all: PoolerSettings = {
    listen_addr: "127.0.0.1",
    listen_port: String(port),
    unix_socket_dir: "",
    pidfile: path.join(home, "postmaster.pid"),
    auth_type: "any",
    admin_users: clientUser,
    pool_mode: poolMode,
    default_pool_size: "5",
    max_client_conn: "500",
    // Tests restart what is behind it, and do not wait for its default of 15 s.
    server_login_retry: "1",
    ...settings
  }
  const lines = Object.entries(all).map(([name, value]) => `${name} = ${value}`)
  return `[databases]\n* = ${at}${password}\n\n[pgbouncer]\n${lines.join("\n")}\n`
}

/** Starts a PgBouncer in front of the server of `target`. */
export const startPooler = async (target: string, settings: PoolerSettings = {}): Promise<Pooler> => {
  if (!existsSync(program))
    throw new Error(`no PgBouncer in ${program}: apt-get install pgbouncer; npm test runs without it`)
  // It does not run as root either.
  const user = serverUser()
  const home = await temporaryDirectory("pooler", user)
  // The guard finds it by the file that a PostgreSQL would write.
  const callOff = guard({ directories: [home], data: home })
  const file = path.join(home, "pgbouncer.ini")
  const server = serverProcess({ what: "PgBouncer", user, readyLine, startingWithin, stoppingWithin })
  let port = 0

  const lead = (to: string) => placeFile(file, configuration(new URL(to), home, port, settings), user)
  const start = () => server.start(program, [file])
  const end = () => server.end("SIGTERM")

  const stop = async () => {
    await end()
    await rm(home, { recursive: true, force: true })
    await callOff()
  }

  const url = (database: string) => `postgresql://${clientUser}@127.0.0.1:${port}/${database}`

  const command = async (text: string) => {
    const console = new Client({ connectionString: url("pgbouncer") })
    await console.connect()
    try {
      return (await console.query<Record<string, unknown>>(text)).rows
    } finally {
      await console.end()
    }
  }

  try {
    await server.atFreePort(async (free) => {
      port = free
      await lead(target)
      await start()
    })
  } catch (error) {
    await stop().catch(() => {})
    throw error
  }

  const restart = async () => {
    await end()
    await start()
  }

  return { url, command, lead, restart, stop, log: server.log, [Symbol.asyncDispose]: stop }
}
