import { afterAll, beforeAll, expect, test } from "vitest"
import { statementOf, withSchema } from "../../src/postgres/sql-file.ts"
import { readSql, type SqlSource } from "../../src/projection/sql-source.ts"
import { testLog } from "../log/test-log.ts"
import { type Explained, explained, REPEATS } from "../sql/explained.ts"
import { planRows } from "../support/plan-rows.ts"

// What the server looks at where there are many sessions: as many rows as the answer has, and a few more.

const log = testLog()

const ROWS = planRows(100_000)

/** How many users and agents share them. */
const NAMES = 100

/** One in so many is active; one in so many of those is over, and no event says so yet. */
const ACTIVE = 10
const UNSWEPT = 500

const PAGE = 50

/** A page of what is found in each of three statuses, and the rows themselves. */
const MOST_ROWS = 4 * PAGE

/** Who asks for a user with an agent looks through the sessions of one of them, or looks up which both have. */
const OF_BOTH = (2 * ROWS) / NAMES + MOST_ROWS

/** … and, for those that are expired, through the active ones of a user, for whose time is over. */
const OF_ACTIVE = (2 * ROWS) / NAMES / ACTIVE + MOST_ROWS

let session: Explained

beforeAll(async () => {
  const { engine, db } = log
  await engine.sessions.list()
  await db.query(
    `insert into tidemark.session_records__1
     select 's' || n, n, 1, 'u' || n % ${NAMES}, 'a' || n / ${NAMES} % ${NAMES}, '{}',
       case when n % ${ACTIVE} = 0 then 'active' when n % 2 = 0 then 'expired' else 'ended' end, 1000, now(), now(),
       now() + case when n % ${UNSWEPT} = 0 then interval '-1 minute' else interval '1 hour' end, null, null, now()
     from generate_series(1, ${ROWS}) n`
  )
  await db.query("analyze tidemark.session_records__1")
  session = await explained(db.url, /^(?:session_records|events)(?:__1)?$/)
})
afterAll(() => session?.end())

const NONE = null
const list = "#projections/sessions/list.sql"

/** Who asks for expired ones looks at all of which no event says so yet. */
const OVER_TOO = ROWS / UNSWEPT + MOST_ROWS

const questions: ReadonlyArray<
  readonly [what: string, sql: SqlSource, values: ReadonlyArray<unknown>, most?: number]
> = [
  ["one session", "#projections/sessions/get.sql", ["s777"]],
  [
    "how some stand",
    "#projections/sessions/standing.sql",
    [
      ["session-s770", "session-none"],
      ["s770", "none"]
    ]
  ],
  ["what is due", "#projections/sessions/due.sql", [PAGE, NONE, NONE]],
  ["what is due after another", "#projections/sessions/due.sql", [PAGE, new Date(0), "s5"]],
  ["sessions", list, [NONE, NONE, NONE, PAGE, NONE]],
  ["an older page", list, [NONE, NONE, NONE, PAGE, ROWS / 2]],
  ["active ones", list, ["active", NONE, NONE, PAGE, NONE]],
  ["ended ones", list, ["ended", NONE, NONE, PAGE, ROWS / 2]],
  ["expired ones", list, ["expired", NONE, NONE, PAGE, NONE], OVER_TOO],
  ["those of a user", list, [NONE, "u7", NONE, PAGE, NONE]],
  ["active ones of a user", list, ["active", "u20", NONE, PAGE, NONE]],
  ["active ones of a user who has none", list, ["active", "u7", NONE, PAGE, NONE]],
  ["expired ones of a user", list, ["expired", "u20", NONE, PAGE, NONE], OF_ACTIVE],
  ["those of nobody", list, [NONE, "none", NONE, PAGE, NONE]],
  ["those of an agent", list, [NONE, NONE, "a7", PAGE, ROWS / 2]],
  ["ended ones of an agent", list, ["ended", NONE, "a7", PAGE, NONE]],
  ["those of a user with an agent", list, [NONE, "u7", "a7", PAGE, NONE], OF_BOTH]
]

test.each(questions.map(([what, sql, values, most = MOST_ROWS]) => [what, sql, values, most] as const))(
  "%s: found by an index, as often as it is asked",
  async (_, sql, values, most) => {
    // As operations do it: prepared under one name for all values, but for lists, whose filters may be left out.
    const { text, name } = statementOf(withSchema(readSql(sql), "tidemark"))
    for (let nth = 0; nth < REPEATS; nth++) await session.query(text, values, sql === list ? undefined : name)
    const looks = session.looks()
    expect(looks.length).toBeGreaterThan(0)
    const big = looks.filter(({ table }) => table.startsWith("session_records"))
    expect(big.filter(({ node }) => node === "Seq Scan")).toEqual([])
    const rows = big.slice(-Math.ceil(big.length / REPEATS)).reduce((sum, look) => sum + look.rows, 0)
    expect(rows).toBeLessThanOrEqual(most)
  }
)
