import { afterAll, beforeAll, expect, test } from "vitest"
import { states } from "../../projections/states/states.ts"
import { statement, statementOf } from "../../src/postgres/sql-file.ts"
import { inGeneration, readSql } from "../../src/projection/sql-source.ts"
import { testLog, upTo } from "../log/test-log.ts"
import { type Explained, explained, REPEATS } from "../sql/explained.ts"

// What the fold of states looks at by plans that were made while there was next to nothing, as when a rebuild begins.

// Nobody folds: what is in the tables is not from the log.
const log = testLog({ readModels: "follow" })

/** How many branches there are in the beginning, and in the end; each has one key, and all of them the same one. */
const FEW = 10
const MANY = 5_000

/** How many a batch wants. */
const BATCH = 100

let session: Explained
beforeAll(async () => {
  session = await explained(log.db.url, /^state_(?:branches|keys|key_versions)__1$/)
})
afterAll(() => session?.end())

const fill = async (first: number, last: number): Promise<void> => {
  await log.db.query(
    `insert into tidemark.state_branches__1 (branch, agent, name, stream, born, lineage, lineage_up_to, version, position, hash, created_at, changed_at)
     select n, 'a-' || n, 'main', 'state-main@a-' || n, 1, array[n], array[${Number.MAX_SAFE_INTEGER}], 2, n, '\\x00', now(), now()
     from generate_series(${first}, ${last}) n`
  )
  await log.db.query(
    `insert into tidemark.state_keys__1 (branch, tier, key, version, is_absent, value, bytes, patches, patch_bytes)
     select n, 'shared', 'plan', 2, false, '1', 1, 0, 0 from generate_series(${first}, ${last}) n`
  )
}

const looksAt = async (branches: ReadonlyArray<number>) => {
  const sql = readSql("#projections/states/fold-keys.sql")
  const { text, name } = statementOf(inGeneration(sql, "tidemark", states.relations, 1))
  const values = [branches, branches.map(() => "shared"), branches.map(() => "plan")]
  session.looks()
  await session.query("begin")
  await session.query(statement("plan_by_index", "tidemark").text)
  await session.query(text, values, name)
  await session.query("commit")
  return session.looks()
}

test("keys are looked up by their branches, however many of them have one of that name", async () => {
  await fill(1, FEW)
  for (let again = 0; again < REPEATS; again++) await looksAt(upTo(FEW))
  await fill(FEW + 1, MANY)
  const looks = await looksAt(upTo(BATCH))
  expect(looks.length).toBeGreaterThan(0)
  expect(looks.filter(({ rows }) => rows > BATCH)).toEqual([])
})
