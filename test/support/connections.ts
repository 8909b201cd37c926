import { connected, harnessName, preparedIn } from "./admin.ts"
import { until, WaitedTooLong } from "./eventually.ts"

/** A server notices a closed connection a moment after the client has let go of it. */
const noticedWithin = 2_000

const openConnections = `
  select format('a connection to %s by %L (pid %s, %s, last statement: %s)',
      datname, application_name, pid, state, left(regexp_replace(query, '\\s+', ' ', 'g'), 120)) as leak
    from pg_stat_activity
    where datname = any($1) and application_name <> $2 and backend_type = 'client backend'
    order by backend_start`

const open = (url: string, databases: ReadonlyArray<string>) =>
  connected(url, async (client) => {
    const { rows } = await client.query<{ leak: string }>(openConnections, [databases, harnessName])
    return rows.map(({ leak }) => leak)
  })

/** What still holds on to these databases: connections that do not close by themselves, prepared transactions. */
export const leftBehind = async (
  url: string,
  databases: ReadonlyArray<string>,
  within = noticedWithin
): Promise<ReadonlyArray<string>> => {
  let connections: ReadonlyArray<string> = []
  try {
    await until(
      async () => {
        connections = await open(url, databases)
        return connections.length === 0
      },
      { within }
    )
  } catch (error) {
    if (!(error instanceof WaitedTooLong) || connections.length === 0) throw error
  }
  const prepared = await preparedIn(url, databases)
  return [...connections, ...prepared.map((gid) => `the prepared transaction ${gid}`)]
}
