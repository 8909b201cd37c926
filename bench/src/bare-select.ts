import pg from "pg"
import { sql } from "./sql.ts"

export const BARE_SELECT = "bare select"
const BARE_PAGE = 5000

/** Pages of the log's own table through pg, nothing done with the rows: the limit for any reader of that table. */
export const bareSelect = async (database: string): Promise<number> => {
  const text = await sql("bare-select")
  const client = new pg.Client({ connectionString: database })
  await client.connect()
  const began = performance.now()
  let count = 0
  let position: string | undefined = "0"
  while (position !== undefined) {
    const page: pg.QueryResult<{ position: string }> = await client.query({
      name: "bare-select",
      text,
      values: [position, BARE_PAGE]
    })
    count += page.rows.length
    position = page.rows.at(-1)?.position
  }
  const seconds = (performance.now() - began) / 1000
  await client.end()
  return count / seconds
}
