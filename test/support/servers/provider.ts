import type { Settings } from "../cluster.ts"

/** Where the PostgreSQL of a test run comes from. */
export type ProviderName = "given" | "containers" | "pg15" | "embedded"

/** A running server and how to end it. `url` may create databases. */
export type Running = { readonly url: string; readonly stop: () => Promise<void> }

export type Provider = (settings: Settings) => Promise<Running>

/** Prepared transactions the tests may hold open at once. */
export const preparedTransactions = 20

/** fsync=off is for tests only: it survives a killed server, not a lost machine. */
export const testSettings: Settings = {
  max_connections: "200",
  max_prepared_transactions: `${preparedTransactions}`,
  fsync: "off"
}

/** The variable that names a server to use instead of one of our own. */
export const givenUrl = "TIDEMARK_TEST_DATABASE_URL"

/** The variable that chooses among servers of our own. */
export const wantedServer = "TIDEMARK_TEST_SERVER"

/** What the environment asks for: a given server first, then the named kind, else the embedded server. */
export const chosenProvider = (environment: NodeJS.ProcessEnv): ProviderName => {
  if (environment[givenUrl]) return "given"
  const wanted = environment[wantedServer] || "embedded"
  if (wanted === "containers" || wanted === "pg15" || wanted === "embedded") return wanted
  throw new Error(
    `${wantedServer}=${wanted} is no server the tests know: say containers, pg15 or embedded, ` +
      `or set ${givenUrl} to the URL of a server of yours`
  )
}
