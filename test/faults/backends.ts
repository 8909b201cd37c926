import { statement } from "../../src/postgres/sql-file.ts"
import { connected } from "../support/admin.ts"
import { until } from "../support/eventually.ts"

export type Kind = "writer" | "feed" | "listener" | "notifier"

const text = (name: string) => statement(name, "tidemark").text

/** The statements by which an engine's connections are told apart: the last that each ran begins with one of these. */
const lastRan: Readonly<Record<Kind, ReadonlyArray<string>>> = {
  writer: [text("append_batch"), text("append_lone")],
  feed: [text("read_tail"), text("log_holders"), text("tail_extent")],
  // Now and then pg-listen asks whether anybody answers.
  listener: ["LISTEN ", "SELECT pg_backend_pid()"],
  notifier: ["select pg_notify"]
}

const backendsOf = `
  select pid from pg_stat_activity
  where datname = current_database() and application_name = $1 and backend_type = 'client backend'
    and exists (select from unnest($2::text[]) as start where starts_with(query, left(start, 900)))
  order by pid`

/** The server's processes that serve an engine's connections of a kind. */
export const backends = (url: string, application: string, kind: Kind): Promise<ReadonlyArray<number>> =>
  connected(url, async (client) => {
    const { rows } = await client.query<{ pid: number }>(backendsOf, [application, lastRan[kind]])
    return rows.map(({ pid }) => pid)
  })

/** Ends one of them; waits until there is one to end, and returns who it was. */
export const terminateOne = async (
  url: string,
  application: string,
  kind: Kind,
  choose: (pids: ReadonlyArray<number>) => number
): Promise<number> => {
  const pid = await until(
    async () => {
      const found = await backends(url, application, kind)
      return found.length > 0 && choose(found)
    },
    { what: `a ${kind} of ${application}` }
  )
  await connected(url, (client) => client.query("select pg_terminate_backend($1)", [pid]))
  return pid
}
