import { homedir, userInfo } from "node:os"
import { Effect } from "effect"
import type { ClientConfig } from "pg"
import { channelBinding } from "./channel-binding.ts"
import { badConnectionString, ConnectionError } from "./connection-error.ts"
import { keywordsOf, type ConnectionSettings, type Environment } from "./connection-settings.ts"
import type { Keyword, Keywords } from "./connection-string.ts"
import { TlsSocket } from "./tls-socket.ts"
import { tls } from "./tls.ts"

/** How the server shows our connections (`pg_stat_activity`), unless the caller or PGAPPNAME names them. */
export const applicationName = "tidemark"
/** Until the kernel first asks a silent peer whether it is still there, in ms. */
export const keepAliveInitialDelayMillis = 10_000
/** How long one attempt to connect may take, TLS and authentication included, in ms. */
export const connectionTimeoutMillis = 5_000

const defaultHost = "localhost"
const defaultPort = 5432
const highestPort = 65_535
const millisPerSecond = 1000

/**
 * The configuration for pg's Client and Pool (and pg-listen) from a URL, a libpq keyword string or an object. What they
 * leave open comes from libpq's environment variables, then from defaults. The password is held in a function, so
 * that no log of the configuration can show it.
 *
 * `sslmode` means what it means to libpq, not what it means to pg: see {@link tls} and {@link TlsSocket}, which does the
 * TLS, so that `ssl` of the result is always false. Over a Unix socket there is no TLS.
 *
 * Fails with {@link ConnectionError}: BadConnectionString or TlsFileUnreadable. A later `connect()` with the
 * configuration may reject with a ConnectionError whose reason is TlsRefused or TlsUnverified.
 */
export const connection = Effect.fnUntraced(function* (
  input: string | ConnectionSettings = {},
  environment: Environment = process.env
): Effect.fn.Return<ClientConfig, ConnectionError> {
  const keywords = yield* keywordsOf(input, environment)
  const target = yield* targetOf(keywords)
  const agreed = isSocket(target.host) ? undefined : yield* tls(keywords, environment["HOME"] ?? homedir())
  const binding = yield* channelBinding(keywords, agreed)
  return {
    ...target,
    ...passwordOf(input, keywords),
    ...(keywords.options === undefined ? {} : { options: keywords.options }),
    application_name: keywords.application_name ?? keywords.fallback_application_name ?? applicationName,
    connectionTimeoutMillis: yield* millis(
      "connect_timeout",
      keywords.connect_timeout,
      connectionTimeoutMillis
    ),
    keepAlive: (yield* wholeNumber("keepalives", keywords.keepalives, 1, 0, 1)) === 1,
    keepAliveInitialDelayMillis: yield* millis(
      "keepalives_idle",
      keywords.keepalives_idle,
      keepAliveInitialDelayMillis
    ),
    // Said even where they are pg's defaults: pg would take what is unsaid from its own reading of the environment.
    ssl: false,
    sslnegotiation: "postgres",
    enableChannelBinding: binding !== "disable",
    ...(agreed === undefined ? {} : { stream: () => new TlsSocket(agreed, binding) })
  }
})

type Target = {
  readonly host: string
  readonly port: number
  readonly database: string
  readonly user: string
}

/** Where a configuration leads, for messages and logs: `host:port/database as user`, never a password. */
export const describe = ({ host, port, database, user }: Pick<ClientConfig, keyof Target>): string =>
  `${host?.includes(":") ? `[${host}]` : host}:${port}/${database} as ${user}`

/** As {@link describe}, for what a user gave: it may lack parts, name files that are not there, or be unreadable. */
export const redact = (input: string | ConnectionSettings, environment: Environment = process.env): string =>
  Effect.runSync(
    Effect.flatMap(keywordsOf(input, environment), targetOf).pipe(
      Effect.match({ onSuccess: describe, onFailure: () => "connection settings that cannot be read" })
    )
  )

const isSocket = (host: string) => host.startsWith("/")

const targetOf = Effect.fnUntraced(function* (keywords: Keywords): Effect.fn.Return<Target, ConnectionError> {
  const host = keywords.host ?? defaultHost
  if (/[\s,@]/.test(host) && !isSocket(host)) {
    return yield* badConnectionString("the host", "is not one host name, address or socket directory")
  }
  const port = yield* wholeNumber("port", keywords.port, defaultPort, 1, highestPort)
  const user = keywords.user ?? userInfo().username
  return { host, port, user, database: keywords.dbname ?? user }
})

const passwordOf = (
  input: string | ConnectionSettings,
  { password }: Keywords
): Pick<ClientConfig, "password"> => {
  if (typeof input === "object" && typeof input.password === "function") return { password: input.password }
  return password === undefined ? {} : { password: () => password }
}

const wholeNumber = (
  part: Keyword,
  text: string | undefined,
  fallback: number,
  lowest: number,
  highest: number
): Effect.Effect<number, ConnectionError> => {
  const value = text === undefined ? fallback : /^\s*\d+\s*$/.test(text) ? Number(text) : Number.NaN
  return Number.isInteger(value) && value >= lowest && value <= highest
    ? Effect.succeed(value)
    : Effect.fail(badConnectionString(`the ${part}`, `is not a whole number from ${lowest} to ${highest}`))
}

// Node's timers hold no longer delay, in ms.
const longestDelay = 2_147_483_647

const millis = (part: Keyword, seconds: string | undefined, fallback: number) =>
  Effect.map(
    wholeNumber(part, seconds, fallback / millisPerSecond, 0, Math.floor(longestDelay / millisPerSecond)),
    (value) => value * millisPerSecond
  )
