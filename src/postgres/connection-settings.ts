import { Effect } from "effect"
import { badConnectionString, type ConnectionError } from "./connection-error.ts"
import { isKeyword, parseConnectionString, type Keyword, type Keywords } from "./connection-string.ts"
import type { SslMode } from "./tls.ts"

/** Connection settings by their libpq names; `database` may be said for `dbname`. */
export interface ConnectionSettings {
  /** Name or address, or the directory of a Unix socket (begins with `/`). Default `localhost`. */
  readonly host?: string
  /** Default 5432. */
  readonly port?: number | string
  /** Default: the user's name. */
  readonly database?: string
  readonly dbname?: string
  /** Default: the operating system's user. */
  readonly user?: string
  /** A function is asked at every connection, for passwords that expire. Default: PGPASSWORD, then `~/.pgpass`. */
  readonly password?: string | (() => string | Promise<string>)
  /** Command-line options for the server's session, e.g. `-c statement_timeout=5s`. */
  readonly options?: string
  /** Default `tidemark`. */
  readonly application_name?: string
  readonly fallback_application_name?: string
  /** In seconds; 0 waits without end. Default 5. */
  readonly connect_timeout?: number | string
  /** 1 (default) or 0. */
  readonly keepalives?: number | string
  /** In seconds. Default 10. */
  readonly keepalives_idle?: number | string
  /**
   * `prefer` (default) binds SCRAM to the server's certificate where the server offers it; `require` signs in no other way, and
   * never without TLS; `disable`.
   */
  readonly channel_binding?: string
  /** Default `prefer`, as libpq; `verify-full` with `sslrootcert=system`. */
  readonly sslmode?: SslMode
  /** `direct` begins with the TLS handshake (PostgreSQL 17 or newer). */
  readonly sslnegotiation?: "postgres" | "direct"
  /** A PEM file of authorities, or `system`. Default `~/.postgresql/root.crt` where it exists. */
  readonly sslrootcert?: string
  /** PEM files of the client's certificate and key. Default `~/.postgresql/postgresql.{crt,key}` where they exist. */
  readonly sslcert?: string
  readonly sslkey?: string
  /** The passphrase of an encrypted `sslkey`. */
  readonly sslpassword?: string
}

/** Environment variables, as `process.env`. */
export type Environment = Readonly<Record<string, string | undefined>>

const variables: Partial<Record<Keyword, string>> = {
  host: "PGHOST",
  port: "PGPORT",
  dbname: "PGDATABASE",
  user: "PGUSER",
  password: "PGPASSWORD",
  options: "PGOPTIONS",
  application_name: "PGAPPNAME",
  connect_timeout: "PGCONNECT_TIMEOUT",
  channel_binding: "PGCHANNELBINDING",
  sslmode: "PGSSLMODE",
  sslnegotiation: "PGSSLNEGOTIATION",
  sslrootcert: "PGSSLROOTCERT",
  sslcert: "PGSSLCERT",
  sslkey: "PGSSLKEY"
}

/** What was given, as keywords; what it leaves open comes from the environment. An empty value counts as left open. */
export const keywordsOf = Effect.fnUntraced(function* (
  input: string | ConnectionSettings,
  environment: Environment
): Effect.fn.Return<Keywords, ConnectionError> {
  const given =
    typeof input === "string"
      ? yield* Effect.fromResult(parseConnectionString(input))
      : yield* fromSettings(input)
  return { ...fromEnvironment(environment), ...withoutEmpty(given) }
})

const fromSettings = Effect.fnUntraced(function* (
  settings: ConnectionSettings
): Effect.fn.Return<Keywords, ConnectionError> {
  const found: Keywords = {}
  for (const [name, value] of Object.entries(settings)) {
    const keyword = name === "database" ? "dbname" : name
    if (!isKeyword(keyword)) return yield* badConnectionString(`the setting ${name}`, "is not known")
    if (typeof value === "string" || typeof value === "number") found[keyword] = String(value)
    else if (value !== undefined && !(keyword === "password" && typeof value === "function")) {
      return yield* badConnectionString(`the setting ${name}`, "is not a string")
    }
  }
  return found
})

const fromEnvironment = (environment: Environment): Keywords => {
  const found: Keywords = {}
  for (const [keyword, variable] of Object.entries(variables)) {
    const value = environment[variable]
    if (isKeyword(keyword) && value !== undefined && value !== "") found[keyword] = value
  }
  return found
}

const withoutEmpty = (keywords: Keywords): Keywords =>
  Object.fromEntries(Object.entries(keywords).filter(([, value]) => value !== ""))
