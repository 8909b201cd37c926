import { Client, type QueryResultRow } from "pg"

/** A connection outside every engine, for plain SQL in transactions of its own. */
export type Session = AsyncDisposable & {
  readonly query: <Row extends QueryResultRow = QueryResultRow>(
    sql: string,
    params?: ReadonlyArray<unknown>
  ) => Promise<ReadonlyArray<Row>>
  readonly close: () => Promise<void>
}

export const openSession = async (url: string): Promise<Session> => {
  const client = new Client({ connectionString: url, application_name: "raw-session" })
  client.on("error", () => {})
  await client.connect()
  const query = async <Row extends QueryResultRow>(sql: string, params: ReadonlyArray<unknown> = []) =>
    (await client.query<Row>(sql, params.length === 0 ? undefined : [...params])).rows
  const close = () => client.end()
  return { query, close, [Symbol.asyncDispose]: close }
}
