import pg from "pg"
import { setTimeout as delay } from "node:timers/promises"
import { DirectoryInUse } from "./embedded-error.ts"
import type { Home } from "./home.ts"
import { SUPERUSER } from "./cluster.ts"
import { LOOPBACK } from "./port.ts"

const MAINTENANCE_DATABASE = "postgres"
const DATABASE_MISSING = "3D000"
const DUPLICATE_DATABASE = "42P04"
const UNIQUE_VIOLATION = "23505"
/** The server is starting, recovering or shutting down. */
const CANNOT_CONNECT_NOW = "57P03"
const REFUSED = "ECONNREFUSED"
const WRONG_PASSWORD = new Set(["28P01", "28000"])
const ACCEPTS_WITHIN_MS = 3000
const RETRY_MS = 5

export interface Access {
  readonly port: number
  readonly password: string
}

export const urlOf = ({ port, password }: Access, database: string): string =>
  `postgres://${SUPERUSER}:${password}@${LOOPBACK}:${port}/${encodeURIComponent(database)}?sslmode=disable`

const codeOf = (cause: unknown): string =>
  cause instanceof Error && "code" in cause && typeof cause.code === "string" ? cause.code : ""

const withClient = async <A>(
  { port, password }: Access,
  database: string,
  use: (client: pg.Client) => Promise<A>
): Promise<A> => {
  const client = new pg.Client({
    host: LOOPBACK,
    port,
    user: SUPERUSER,
    password,
    database,
    // A PGSSLMODE in the environment is meant for another server.
    ssl: false,
    sslnegotiation: "postgres",
    connectionTimeoutMillis: ACCEPTS_WITHIN_MS
  })
  // An idle client whose server goes away emits an error, which without a listener would end the process.
  client.on("error", () => undefined)
  try {
    await client.connect()
    return await use(client)
  } finally {
    await client.end().catch(() => undefined)
  }
}

const create = (access: Access, database: string): Promise<void> =>
  withClient(access, MAINTENANCE_DATABASE, async (client) => {
    try {
      await client.query(`create database ${client.escapeIdentifier(database)}`)
    } catch (cause) {
      if (codeOf(cause) !== DUPLICATE_DATABASE && codeOf(cause) !== UNIQUE_VIOLATION) throw cause
    }
  })

const connectOrCreate = async (access: Access, database: string): Promise<void> => {
  try {
    await withClient(access, database, async () => undefined)
  } catch (cause) {
    if (codeOf(cause) !== DATABASE_MISSING) throw cause
    await create(access, database)
  }
}

const refusal = (home: Home, { port }: Access, cause: unknown): unknown => {
  const code = codeOf(cause)
  if (code === REFUSED) {
    const holder = `a PostgreSQL that does not listen on ${LOOPBACK}:${port}`
    return new DirectoryInUse({ directory: home.directory, holder })
  }
  if (!WRONG_PASSWORD.has(code)) return cause
  const holder = `a PostgreSQL on port ${port} that does not accept the password in ${home.password}`
  return new DirectoryInUse({ directory: home.directory, holder })
}

/** Proves that the server lets us in, and makes the database if it is missing. */
export const prepareDatabase = async (home: Home, access: Access, database: string): Promise<void> => {
  const deadline = Date.now() + ACCEPTS_WITHIN_MS
  for (;;) {
    try {
      return await connectOrCreate(access, database)
    } catch (cause) {
      const passing = codeOf(cause) === CANNOT_CONNECT_NOW || codeOf(cause) === REFUSED
      if (!passing || Date.now() > deadline) throw refusal(home, access, cause)
    }
    await delay(RETRY_MS)
  }
}
