import { resolve } from "node:path"
import { Effect, type Scope } from "effect"
import { prepareBinaries, type Binaries } from "./binaries.ts"
import { passwordOf, prepareCluster } from "./cluster.ts"
import { prepareDatabase, urlOf } from "./database.ts"
import { DirectoryInUse, NoFreePort, embeddedError, type EmbeddedError } from "./embedded-error.ts"
import { openHome, type Home } from "./home.ts"
import { EmbeddedHost, type Host } from "./host.ts"
import { lock } from "./lock.ts"
import { freePort } from "./port.ts"
import {
  awaitPostmaster,
  runningPostmaster,
  startPostmaster,
  STOPPING,
  type Postmaster
} from "./postmaster.ts"
import { trimLog } from "./server-log.ts"
import { stopPostmaster } from "./shutdown.ts"
import { countUsers } from "./users.ts"
import { beginVisit, type Visit } from "./visit.ts"

/** How to start, or join, the embedded PostgreSQL. */
export interface EmbeddedOptions {
  /** Where the data live. Default: `.tidemark` below the working directory. */
  readonly directory?: string
  /** More settings of postgresql.conf; they count when this call starts the server, not when it joins one. */
  readonly settings?: Readonly<Record<string, string>>
  /** The port to listen on, when this call starts the server. Default: a free one. */
  readonly port?: number
  /** The database of the url, made if it is missing. Default: `tidemark`. */
  readonly database?: string
  /** Hears where the data live when that is not where they were wanted, and what else was done; never a secret. */
  readonly onNotice?: (message: string) => void
}

/** A running embedded PostgreSQL. */
export interface EmbeddedServer {
  /** `postgres://user:password@127.0.0.1:port/database`; it holds the password, so it belongs in no log. */
  readonly url: string
  readonly port: number
  /** Where the data really live. */
  readonly directory: string
  /** Whether the server ran before, started by another process. */
  readonly joined: boolean
  /** PostgreSQL's major version. */
  readonly version: number
}

const DEFAULT_DIRECTORY = ".tidemark"
const DEFAULT_DATABASE = "tidemark"
/** Another program may take a free port before the server binds it; that often in a row means something else. */
const PORT_ATTEMPTS = 10
const ignore = (): void => undefined

const startOnFreePort = async (
  binaries: Binaries,
  home: Home,
  settings: Readonly<Record<string, string>>
): Promise<Postmaster> => {
  for (let attempt = 1; ; attempt++) {
    try {
      return await startPostmaster(binaries, home, await freePort(), settings)
    } catch (cause) {
      if (!(cause instanceof NoFreePort)) throw cause
      if (cause.port === undefined || attempt === PORT_ATTEMPTS) throw new NoFreePort({ why: cause.why })
    }
  }
}

const start = async (binaries: Binaries, home: Home, options: EmbeddedOptions): Promise<Postmaster> => {
  const settings = options.settings ?? {}
  await prepareCluster(binaries, home)
  return options.port === undefined
    ? startOnFreePort(binaries, home, settings)
    : startPostmaster(binaries, home, options.port, settings)
}

/** This use is already noted when it looks who else is there. */
const isOnlyUser = (home: Home): boolean => countUsers(home.users) === 1

/** A server that is on its way down is waited for, and helped down when nobody else is in it; then there is none. */
const running = async ({ fastWithinMs }: Host, home: Home): Promise<Postmaster | undefined> => {
  const found = runningPostmaster(home)
  if (found?.status === STOPPING && isOnlyUser(home)) await stopPostmaster(home, fastWithinMs)
  return runningPostmaster(home) && (await awaitPostmaster(home))
}

const enter = async (host: Host, home: Home, options: EmbeddedOptions): Promise<EmbeddedServer> => {
  const binaries = prepareBinaries(host, home, options.onNotice ?? ignore)
  const found = await running(host, home)
  trimLog(home.log)
  const postmaster = found ?? (await start(binaries, home, options))
  const access = { port: postmaster.port, password: passwordOf(home) }
  const database = options.database ?? DEFAULT_DATABASE
  await prepareDatabase(home, access, database)
  return {
    url: urlOf(access, database),
    port: postmaster.port,
    directory: home.directory,
    joined: found !== undefined,
    version: binaries.version
  }
}

interface Entered {
  readonly server: EmbeddedServer
  readonly visit: Visit
}

/** One process at a time enters or leaves, so that two which start together make one cluster and one server. */
const enterAlone = async (host: Host, home: Home, options: EmbeddedOptions): Promise<Entered> => {
  const held = await lock(home.lock)
  try {
    const visit = beginVisit(home)
    try {
      return { server: await enter(host, home, options), visit }
    } catch (cause) {
      if (cause instanceof DirectoryInUse) visit.withdraw()
      else await visit.leaveLocked()
      throw cause
    }
  } finally {
    held.release()
  }
}

/**
 * Starts the embedded PostgreSQL of a directory, or joins the one that runs, until the scope closes; its last user stops it.
 * Works as root, too. Fails with an EmbeddedError whose `reason` is one of DirectoryNotOurs, DirectoryInUse,
 * DirectoryUnreachable, NoFreePort, OtherMajorVersion, NoRoom, BinariesMissing, NoServerUser and ServerDidNotStart.
 */
export const embeddedServer = Effect.fn("embeddedServer")(function* (
  options: EmbeddedOptions = {}
): Effect.fn.Return<EmbeddedServer, EmbeddedError, Scope.Scope> {
  const host = yield* EmbeddedHost
  const directory = resolve(options.directory ?? DEFAULT_DIRECTORY)
  const acquire = Effect.tryPromise({
    try: async () => enterAlone(host, openHome(host, directory, options.onNotice ?? ignore), options),
    catch: (cause) => embeddedError(directory, cause)
  })
  const { server } = yield* Effect.acquireRelease(acquire, ({ visit }) => Effect.promise(() => visit.leave()))
  return server
})
