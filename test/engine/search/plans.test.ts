import { afterAll, beforeAll, expect, test } from "vitest"
import { withSchema } from "../../../src/postgres/sql-file.ts"
import { readSql } from "../../../src/projection/sql-source.ts"
import { KINDS, SOURCES } from "../../../src/engine/search/kinds.ts"
import { testLog } from "../../log/test-log.ts"
import { type Explained, explained } from "../../sql/explained.ts"
import { planRows } from "../../support/plan-rows.ts"

// What the server looks at where there is much to search: what a word is found in, of frequent words about as much as is ranked.

const log = testLog()

const ROWS = planRows(20_000)

/** One in so many has the word that is rare; all have the frequent one. */
const RARE = 2_000
const FOUND = ROWS / RARE

const CANDIDATES = 100
const PAGE = 20

/** Of what is looked at twice, to rank it and to show it, and by chance beyond. */
const MOST_FREQUENT = 5 * CANDIDATES

const text = `'common ' || case when n % ${RARE} = 0 then 'quokka' else 'w' || n end`

let session: Explained

beforeAll(async () => {
  const { engine, db } = log
  await engine.help.list()
  await engine.state("a").update({ shared: { one: 1 } })
  await db.query(`
    insert into tidemark.agents__1 (agent_id, state, capabilities, type, name, version, created_at, updated_at, recorded_at)
      select 'a' || n, 'running', '{}', ${text}, case when n = 77 then 'numbat keeper' end, 1, now(), now() - n * interval '1 second', now()
      from generate_series(1, ${ROWS}) n;
    insert into tidemark.help_requests__1 (id, request_id, user_id, content, status, priority, answers, created_at, updated_at, recorded_at)
      select n, 'r' || n, 'u', ${text}, 'pending', 'low', 0, now(), now(), now() from generate_series(1, ${ROWS}) n;
    insert into tidemark.help_responses__1 (id, request_id, response_id, content, generated_at, recorded_at)
      select n, 'r' || n, gen_random_uuid(), ${text}, now(), now() from generate_series(1, ${ROWS}) n;
    insert into tidemark.llm_conversations__1 (id, conversation_id, prompt, response, timestamp, recorded_at)
      select n, 'c' || n, 'common', ${text}, now(), now() from generate_series(1, ${ROWS}) n;
    insert into tidemark.system_events__1 (id, event_type, event_data, severity, timestamp, recorded_at)
      select n, 'common', jsonb_build_object('text', ${text}), 'INFO', now(), now() from generate_series(1, ${ROWS}) n;
    insert into tidemark.system_state__1 (stream, id, key, value, version, created_at, updated_at, recorded_at)
      select 's' || n, n, 'k' || n, to_jsonb(${text}), 1, now(), now() - n * interval '1 second', now() from generate_series(1, ${ROWS}) n;
    insert into tidemark.state_keys__1 (branch, tier, key, version, is_absent, value, bytes, patches, patch_bytes)
      select (select min(branch) from tidemark.state_branches__1), 'shared', 'k' || n, 1, false, to_jsonb(${text}), 20, 0, 0
      from generate_series(1, ${ROWS}) n;
    analyze`)
  session = await explained(db.url, /__1$/)
})
afterAll(() => session?.end())

const looksAt = async (sql: string, values: ReadonlyArray<unknown>) => {
  await session.query(withSchema(sql, "tidemark"), values)
  return session.looks().filter(({ table }) => table !== "state_branches__1")
}

test.each(KINDS)("a rare word in what is of kind %s is found by an index", async (kind) => {
  const looks = await looksAt(readSql(SOURCES[kind]), ["quokka", null, null, CANDIDATES, PAGE, ""])
  expect(looks.length).toBeGreaterThan(0)
  expect(looks.filter(({ node }) => node === "Seq Scan")).toEqual([])
  expect(looks.reduce((sum, { rows }) => sum + rows, 0)).toBeLessThanOrEqual(3 * FOUND)
})

test.each(["help", "answer", "conversation", "system_event"] as const)(
  "of a frequent word in what is of kind %s only the newest are looked at",
  async (kind) => {
    const looks = await looksAt(readSql(SOURCES[kind]), ["common", null, null, CANDIDATES, PAGE, ""])
    expect(looks.filter(({ node }) => node === "Seq Scan")).toEqual([])
    expect(looks.reduce((sum, { rows }) => sum + rows, 0)).toBeLessThanOrEqual(MOST_FREQUENT)
  }
)

test("a name that is written in another way is found by its trigrams", async () => {
  const trigrams = ["  n", " nu", "num", "umb", "mba", "bat", "at "]
  const thirds = [trigrams.slice(0, 3), trigrams.slice(3, 5), trigrams.slice(5)]
  const looks = await looksAt(readSql("#projections/agents/alike.sql"), [
    ...thirds,
    trigrams,
    0.5,
    null,
    PAGE
  ])
  expect(looks.filter(({ node }) => node === "Seq Scan")).toEqual([])
  expect(looks.reduce((sum, { rows }) => sum + rows, 0)).toBeLessThan(20)
})
