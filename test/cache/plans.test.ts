import { afterAll, beforeAll, expect, test } from "vitest"
import { statement } from "../../src/postgres/sql-file.ts"
import { testLog } from "../log/test-log.ts"
import { type Explained, explained, REPEATS } from "../sql/explained.ts"
import { planRows } from "../support/plan-rows.ts"

// What the server looks at where the cache holds much: what is asked for, by an index.

const log = testLog()

const ROWS = planRows(100_000)

/** How many namespaces share them, and how many entries each tag has. */
const NAMESPACES = 10
const OF_A_TAG = 20

const OVER = 500
const AT_ONCE = 100

let session: Explained

beforeAll(async () => {
  await log.db.query(
    `insert into tidemark.cache_entries (namespace, key, value, tags, expires_at)
     select 'n' || n % ${NAMESPACES}, 'k' || n, to_json(repeat(md5(n::text), 16)),
       case when n % 2 = 0 then array['t' || n / (2 * ${OF_A_TAG})] else '{}' end,
       now() + case when n <= ${OVER} then interval '-1 minute' else n * interval '1 second' end
     from generate_series(1, ${ROWS}) n`
  )
  await log.db.query("vacuum analyze tidemark.cache_entries")
  session = await explained(log.db.url, /^cache_entries$/)
})
afterAll(() => session?.end())

/** Each reads so many rows at most; what takes away looks for them, and finds them again to take them away. */
const questions: ReadonlyArray<readonly [query: string, values: ReadonlyArray<unknown>, most: number]> = [
  ["read_cache_entry", ["n7", "k777"], 1],
  ["read_cache_entry", ["n7", "none"], 0],
  ["keep_cache_entry", ["n7", "k777", "1", ["t"], 1_000], 1],
  ["drop_cache_keys", ["n0", ["k5000", "none"]], 2],
  ["drop_cache_tags", ["n2", ["t77"]], 2 * OF_A_TAG],
  ["clear_cache", ["n3", "k5", AT_ONCE], 2 * AT_ONCE],
  ["sweep_cache", [AT_ONCE], 2 * AT_ONCE]
]

test.each(questions)("%s of %j is found by an index", async (query, values, most) => {
  const { text, name } = statement(query, "tidemark")
  for (let nth = 0; nth < REPEATS; nth++) {
    await session.query("begin")
    await session.query(text, values, name)
    await session.query("rollback")
  }
  const looks = session.looks()
  expect(looks.filter(({ node }) => node === "Seq Scan")).toEqual([])
  const rows = looks.slice(-Math.ceil(looks.length / REPEATS)).reduce((sum, look) => sum + look.rows, 0)
  // A bitmap counts what it marks, and the heap what it finds there.
  expect(rows).toBeLessThanOrEqual(2 * most)
})

test("cache_statistics reads an index alone", async () => {
  const { text, name } = statement("cache_statistics", "tidemark")
  for (let nth = 0; nth < REPEATS; nth++) await session.query(text, [], name)
  const ways = new Set(session.looks().map(({ node, index }) => `${node} ${index}`))
  expect([...ways]).toEqual(["Index Only Scan cache_entries_expires_idx"])
})
