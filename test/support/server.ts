import { type Cluster, type Settings, startCluster } from "./cluster.ts"
import { currentRun } from "./run.ts"
import { testSettings } from "./servers/provider.ts"

/**
 * A server for the caller alone, to be stopped, crashed and restarted: PostgreSQL 15 where the run is on it, else the
 * embedded one, since neither a given server nor a container is ours to crash. End it with `remove` or `await using`.
 */
export const privateServer = (settings: Settings = {}): Promise<Cluster> =>
  startCluster(currentRun().programs, { ...testSettings, ...settings })

/** A hot standby of such a server, by pg_basebackup; where there is none, the server is stopped and started again for the copy. */
export const standbyOf = (primary: Cluster, settings: Settings = {}): Promise<Cluster> =>
  startCluster(currentRun().programs, { ...testSettings, ...settings }, primary)
