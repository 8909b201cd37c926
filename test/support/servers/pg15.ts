import { existsSync } from "node:fs"
import path from "node:path"
import { type Programs, startCluster } from "../cluster.ts"
import { serverUser } from "../server-user.ts"
import type { Provider } from "./provider.ts"

/** Where Debian installs the programs of PostgreSQL 15. */
const debianBin = "/usr/lib/postgresql/15/bin"

/** The installed PostgreSQL 15. */
export const pg15Programs = (bin = debianBin): Programs => {
  if (existsSync(path.join(bin, "initdb"))) return { bin, user: serverUser() }
  throw new Error(
    `no PostgreSQL 15 in ${bin}: apt-get install postgresql-15, or run the tests on another server`
  )
}

/** A cluster of the tests' own on an installed PostgreSQL 15. */
export const pg15Server: Provider = async (settings) => {
  const cluster = await startCluster(pg15Programs(), settings)
  return { url: cluster.url, stop: cluster.remove }
}
