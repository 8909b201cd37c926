import { describe, expect, test } from "vitest"
import { statement } from "../../src/postgres/sql-file.ts"
import { testDatabase } from "../support/database.ts"

// Rule C1: statements that a server of several nodes can hand on to the node that holds the log.

const db = testDatabase()

interface Body {
  readonly name: string
  readonly language: string
  readonly parameters: number
  readonly body: string
}

const functions = async (): Promise<ReadonlyArray<Body>> =>
  db.query<Body & Record<string, unknown>>(
    `select p.proname as name, l.lanname as language, p.pronargs as parameters,
       regexp_replace(p.prosrc, '--[^\n]*', '', 'g') as body
     from pg_proc p join pg_language l on l.oid = p.prolang
     where p.pronamespace = 'tidemark'::regnamespace`
  )

const relations = async (): Promise<ReadonlyArray<string>> =>
  (
    await db.query<{ name: string }>(
      `select relname as name from pg_class
       where relnamespace = 'tidemark'::regnamespace and relkind in ('r', 'p', 'v')
       union all select 'log_holders'`
    )
  ).map(({ name }) => name)

/** From the verb to the end of the statement. */
const WRITE = /\b(?:insert\s+into|update\s+\w+(?:\s+\w+)?\s+set|merge\s+into|delete\s+from)\b[^;]*/g

const COMPUTED_ANEW =
  /\b(?:clock_timestamp|statement_timestamp|transaction_timestamp|now|nextval|gen_random_uuid|random)\s*\(|\bcurrent_timestamp\b/

const writesOf = (body: string): ReadonlyArray<string> => body.match(WRITE) ?? []

const looksAt = (body: string, names: ReadonlyArray<string>): boolean =>
  new RegExp(`\\b(?:from|join|into|update)\\s+(?:${names.join("|")})\\b`).test(body)

describe("the queries of the schema", () => {
  test.each(["read_page", "read_share", "read_tail", "replay_page", "rebuild_page"])(
    "that say what lies in a stretch of the log read it only on a server that has all of it: %s",
    (query) => {
      expect(statement(query, "tidemark").text).toContain(".reaches($")
    }
  )
})

describe("the functions of the schema", () => {
  test("are PL/pgSQL where they take parameters and look at the log's tables", async () => {
    const names = await relations()
    const looking = (await functions()).filter(({ body }) => looksAt(body, names))
    expect(looking.length).toBeGreaterThan(10)
    const wrong = looking.filter(({ language, parameters }) => language === "sql" && parameters > 0)
    expect(wrong.map(({ name }) => name)).toEqual([])
  })

  test("write nothing that each node would compute anew: no clock, no number, no chance", async () => {
    const writes = (await functions()).flatMap(({ name, body }) =>
      writesOf(body).map((statement) => ({ name, statement }))
    )
    expect(new Set(writes.map(({ name }) => name)).size).toBeGreaterThan(5)
    expect(writes.filter(({ statement }) => COMPUTED_ANEW.test(statement))).toEqual([])
  })

  test.each([
    ["begin insert into t values (now()); end", 1],
    ["begin update t set at = clock_timestamp() where one; end", 1],
    ["begin update t other set at = nextval('s') where one; end", 1],
    ["begin insert into t (known) values (_now); _now := now(); end", 0]
  ])("would be found out: %s", (body, found) => {
    expect(writesOf(body).filter((statement) => COMPUTED_ANEW.test(statement))).toHaveLength(found)
  })

  test("draw positions and take the lock through the log's own table", async () => {
    const drawing = (await functions()).filter(({ body }) => body.includes("nextval("))
    expect(drawing.map(({ name }) => name).toSorted()).toEqual(["append_batch", "append_lone"])
    for (const { body } of drawing) {
      expect(body).toMatch(/select pg_advisory_xact_lock_shared\(log\.lock_key\) from log\b/)
    }
  })
})
