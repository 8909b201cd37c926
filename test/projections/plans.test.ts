import { afterAll, beforeAll, expect, test } from "vitest"
import { statementOf, withSchema } from "../../src/postgres/sql-file.ts"
import { readSql, type SqlSource } from "../../src/projection/sql-source.ts"
import { uuid } from "../../src/base/uuid.ts"
import { testLog } from "../log/test-log.ts"
import { type Explained, explained, REPEATS } from "../sql/explained.ts"
import { planRows } from "../support/plan-rows.ts"

// What the server looks at where there are many messages, requests and exchanges: as many rows as the answer has, and a few more.

const log = testLog()

const ROWS = planRows(100_000)

/** How many agents, users and models share them. */
const NAMES = 100

/** How many rows a page has. */
const PAGE = 50

/** Both halves of an inbox, and who has acknowledged what is in them. */
const MOST_ROWS = 8 * PAGE

const TABLES =
  /^(?:agent_communications|agent_acknowledgements|agent_inboxes|help_requests|help_responses|llm_conversations|llm_totals|events)(?:__1)?$/

let session: Explained
const ids = { message: uuid(), request: "r-77777" }

const fill = [
  `insert into tidemark.agent_communications__1
   select n, case n when ${ROWS / 2} then $1::uuid else gen_random_uuid() end, 'a' || n % ${NAMES}, case when n % 10 > 0 then 'a' || (n / 10) % ${NAMES} end,
     't' || n % ${NAMES}, '1', 'low', null, now() - make_interval(secs => ${ROWS} - n), case when n % 10 > 0 and n % 3 = 0 then 'acknowledged' else 'sent' end, 0, null, now()
   from generate_series(1, ${ROWS}) n`,
  // One has acknowledged all that went to all but the newest few, another nothing.
  `insert into tidemark.agent_acknowledgements__1
   select 'a7', id, now() from tidemark.agent_communications__1 where to_agent is null and id < ${ROWS} - 100`,
  `insert into tidemark.agent_inboxes__1
   select 'a7', ${ROWS} * 9 / 10 / ${NAMES}, 0, count(*) from tidemark.agent_acknowledgements__1
   union all select '', ${ROWS} / 10, 0, 0`,
  `insert into tidemark.help_requests__1
   select n, 'r-' || n, 'a' || n % ${NAMES}, '?', null, case when n % 1000 = 0 then 'pending' else 'closed' end,
     case when n % 500 = 0 then 'critical' else 'low' end, 1, now(), now(), null, null, now()
   from generate_series(1, ${ROWS}) n`,
  `insert into tidemark.help_responses__1
   select n, 'r-' || n, gen_random_uuid(), '!', 0.5, null, now(), null, null, now() from generate_series(1, ${ROWS}) n`,
  `insert into tidemark.llm_conversations__1
   select n, 'c-' || n / 20, 'a' || n % ${NAMES}, '?', '!', 'm' || n % ${NAMES}, null, 1, 1, 2, 0.5, 3,
     now() - make_interval(secs => ${ROWS} - n), null, null, now()
   from generate_series(1, ${ROWS}) n`,
  `insert into tidemark.llm_totals__1
   select kind, 'n' || name, date '2000-01-01' + day, 1, 1, 1, 2, 0.5, 3
   from unnest(array['agent', 'model']) kind, generate_series(1, ${NAMES}) name, generate_series(0, ${ROWS / NAMES / 2}) day`,
  `insert into tidemark.llm_totals__1
   select kind, 'n' || name, '-infinity', 1, 1, 1, 2, 0.5, 3 from unnest(array['agent', 'model']) kind, generate_series(1, ${NAMES}) name`
]

beforeAll(async () => {
  const { engine, db } = log
  await engine.help.ask({ request: ids.request, user: "ada", content: "?" })
  await engine.help.list()
  await db.pool.query("delete from tidemark.help_requests__1")
  for (const sql of fill) await db.pool.query(sql, sql.includes("$1") ? [ids.message] : [])
  await db.pool.query("analyze")
  session = await explained(db.url, TABLES)
})
afterAll(() => session?.end())

const NONE = null

const questions: ReadonlyArray<
  readonly [what: string, sql: SqlSource, values: () => ReadonlyArray<unknown>]
> = [
  ["an inbox", "#projections/communications/inbox.sql", () => ["a7", PAGE, NONE]],
  ["an older page of an inbox", "#projections/communications/inbox.sql", () => ["a7", PAGE, ROWS / 2]],
  ["the unread part of an inbox", "#projections/communications/inbox-unread.sql", () => ["a7", PAGE, NONE]],
  [
    "the unread part of an inbox of nobody known",
    "#projections/communications/inbox-unread.sql",
    () => ["new", PAGE, NONE]
  ],
  ["how much is unread", "#projections/communications/unread.sql", () => ["a7"]],
  ["how a message stands", "#projections/communications/status.sql", () => [ids.message, PAGE]],
  ["where messages went", "#projections/communications/streams.sql", () => [[ids.message]]],
  ["messages", "#projections/communications/list.sql", () => [NONE, NONE, NONE, NONE, PAGE, NONE]],
  ["messages from one", "#projections/communications/list.sql", () => ["a7", NONE, NONE, NONE, PAGE, NONE]],
  ["messages to one", "#projections/communications/list.sql", () => [NONE, "a7", NONE, NONE, PAGE, ROWS / 2]],
  [
    "messages from nobody",
    "#projections/communications/list.sql",
    () => ["none", NONE, NONE, NONE, PAGE, NONE]
  ],
  [
    "messages of a type that is rare",
    "#projections/communications/list.sql",
    () => [NONE, NONE, "none", NONE, PAGE, NONE]
  ],
  ["replies", "#projections/communications/list.sql", () => [NONE, NONE, NONE, ids.message, PAGE, NONE]],
  ["one request", "#projections/help/get.sql", () => [ids.request]],
  ["its answers", "#projections/help/responses.sql", () => [ids.request, PAGE]],
  [
    "how it stands",
    "#projections/help/standing.sql",
    () => [`help-${ids.request}`, ["HelpAnswered"], ["closed"]]
  ],
  ["requests", "#projections/help/list.sql", () => [NONE, NONE, NONE, PAGE, NONE]],
  ["pending requests", "#projections/help/list.sql", () => ["pending", NONE, NONE, PAGE, NONE]],
  ["requests of a user", "#projections/help/list.sql", () => [NONE, "a7", NONE, PAGE, ROWS / 2]],
  ["critical requests", "#projections/help/list.sql", () => [NONE, NONE, "critical", PAGE, NONE]],
  ["requests of nobody", "#projections/help/list.sql", () => ["closed", "none", NONE, PAGE, NONE]],
  ["exchanges", "#projections/conversations/list.sql", () => [NONE, NONE, NONE, NONE, NONE, PAGE, NONE]],
  [
    "exchanges of an agent, an older page",
    "#projections/conversations/list.sql",
    () => ["a7", NONE, NONE, NONE, NONE, PAGE, ROWS / 2]
  ],
  [
    "exchanges with a model of a time",
    "#projections/conversations/list.sql",
    () => [NONE, NONE, "m7", new Date(Date.now() - 3_600_000), NONE, PAGE, NONE]
  ],
  [
    "exchanges of a conversation",
    "#projections/conversations/list.sql",
    () => [NONE, "c-77", NONE, NONE, NONE, PAGE, NONE]
  ],
  [
    "exchanges of nobody",
    "#projections/conversations/list.sql",
    () => ["none", NONE, NONE, NONE, NONE, PAGE, NONE]
  ],
  ["a conversation in order", "#projections/conversations/get.sql", () => ["c-77", PAGE, 0]],
  ["sums of all days", "#projections/conversations/totals.sql", () => ["agent", "-infinity", "-infinity"]],
  ["sums of two days", "#projections/conversations/totals.sql", () => ["model", "2000-01-01", "2000-01-02"]]
]

test.each(questions)("%s is found by an index, as often as it is asked", async (_, sql, values) => {
  // As operations do it: prepared under one name for all values, but for lists, whose filters may be left out.
  const { text, name } = statementOf(withSchema(readSql(sql), "tidemark"))
  const isPlannedAnew = typeof sql === "string" && sql.endsWith("/list.sql")
  for (let nth = 0; nth < REPEATS; nth++)
    await session.query(text, values(), isPlannedAnew ? undefined : name)
  const looks = session.looks()
  expect(looks.length).toBeGreaterThan(0)
  // Tables of a few rows are read as they are.
  const big = looks.filter(({ table }) => !/^(?:agent_inboxes|events)/.test(table))
  expect(big.filter(({ node }) => node === "Seq Scan")).toEqual([])
  const rows = big.slice(-Math.ceil(big.length / REPEATS)).reduce((sum, look) => sum + look.rows, 0)
  expect(rows).toBeLessThanOrEqual(MOST_ROWS)
})
