import { afterAll, beforeAll, describe, expect, test } from "vitest"
import { statement, statementOf, withSchema } from "../../src/postgres/sql-file.ts"
import { inGeneration, readSql, type SqlSource } from "../../src/projection/sql-source.ts"
import { states } from "../../projections/states/states.ts"
import { testLog, upTo } from "../log/test-log.ts"
import { type Explained, explained, REPEATS } from "../sql/explained.ts"
import { AT, CHANGES, DEEPEST, fill, FORK, LARGE, streamOf } from "./many-states.ts"

// What the server really does for the statements of states where there are thousands of keys, versions and branches, most of them of small
// states: in tables that nobody has analysed, as a rebuild leaves them, and in such as were, whose statistics say that states are small.

// Nobody folds: what is in the tables is not from the log.
const log = testLog({ readModels: "follow" })

const TABLES =
  /^(?:events|streams|state_branches__1|state_keys__1|state_key_versions__1|state_points__1|state_known__1)$/

/** What a statement may look at in one table: a value is made of up to 256 patches. */
const FEW_ROWS = 300

/** How many keys or streams a batch writes or wants. */
const BATCH = 100

type Call = readonly [sql: SqlSource, values: (nth: number) => ReadonlyArray<unknown>]

const wanted = upTo(BATCH).map((n) => `k${n}`)
const each = <A>(one: A): ReadonlyArray<A> => wanted.map(() => one)

const rows = (version: number, more: object): string =>
  JSON.stringify(wanted.map((key) => ({ branch: LARGE, tier: "shared", key, version, ...more })))

/** Keys of the large state change, and the values that they had, all since one version, are kept from now on. */
const saved = (nth: number): ReadonlyArray<unknown> => {
  const version = AT + CHANGES + nth
  const now = { hash: "00", value: nth, is_absent: false }
  const counts = { bytes: 1, patches: 1, patch_bytes: 1 }
  return [
    rows(version, { ...now, ...counts, is_here: true }),
    rows(version, { ...now, is_anchor: false }),
    rows(AT, { value: "kept" })
  ]
}

const SAVE = "#projections/states/save-keys.sql"
const WANTED = "#projections/states/fold-keys.sql"
const LOAD = { text: 'select * from :"schema".load_branch($1, $2, $3, $4, $5, $6)' }
const PAST = "#projections/states/key-history.sql"
const CHANGED = { text: 'select tier, key from :"schema".changed_state_keys($1, $2, $3, $4)' }
const FIND = "#projections/states/find.sql"

const folds: Readonly<Record<string, Call>> = {
  "the branches of a batch": [
    "#projections/states/fold-branches.sql",
    () => [upTo(BATCH).map((n) => streamOf(n)), upTo(BATCH).map(String)]
  ],
  "the keys of a batch": [WANTED, () => [each(LARGE), each("shared"), wanted]],
  "keys of a batch that are inherited": [WANTED, () => [each(DEEPEST), each("shared"), wanted]],
  "a key that is made of patches": [WANTED, () => [[DEEPEST], ["local"], ["long"]]],
  "what begins with a branch": ["#projections/states/heirs.sql", () => [LARGE, AT, FORK + 1]],
  "the events of a branch that is made anew": [
    "#projections/states/fold-stream.sql",
    () => [streamOf(LARGE), AT, AT + BATCH]
  ]
}

/** One of the small states. */
const SMALL = DEEPEST + 77

const TWO = [[], ["shared", "local"], ["k7", "long"]]

/** One that there is not. */
const CHECKPOINT = "00000000-0000-4000-8000-000000000000"

const questions: Readonly<Record<string, Call>> = {
  "keys of a large state": [LOAD, () => [streamOf(LARGE), null, null, ...TWO]],
  "keys of a large state as they were": [LOAD, () => [null, LARGE, FORK, ...TWO]],
  "keys that are inherited": [LOAD, () => [streamOf(DEEPEST), null, null, ...TWO]],
  "all of a small state": [LOAD, () => [streamOf(SMALL), null, null, ["local", "shared"], [], []]],
  "the history of a key": [PAST, () => [LARGE, FORK, "local", "long", 50, null]],
  "the history of a key that is inherited": [PAST, () => [DEEPEST, AT, "local", "long", 50, 1_000_000]],
  "what differs between versions": [CHANGED, () => [LARGE, FORK, LARGE, FORK + BATCH]],
  "what differs between branches": [CHANGED, () => [DEEPEST, AT, LARGE, FORK + BATCH]],
  "states that hold something": [
    FIND,
    () => [["shared"], ["own1"], [JSON.stringify(`${SMALL}own1`)], 100, null]
  ],
  "the history of a branch": ["#projections/states/history.sql", () => [DEEPEST, AT, 50, null]],
  "how a checkpoint stands": [
    "#projections/states/checkpoint-standing.sql",
    () => [CHECKPOINT, streamOf(LARGE), null]
  ],
  "the end of a stream": ["#projections/states/tail.sql", () => [[streamOf(LARGE)], [CHANGES]]],
  "the ends of many streams": [
    "#projections/states/tail.sql",
    () => [upTo(BATCH).map((n) => streamOf(SMALL + n)), upTo(BATCH).map(() => AT + 2)]
  ],
  "what versions know of others": [
    "#projections/states/known.sql",
    () => [
      [LARGE, DEEPEST],
      [FORK, AT]
    ]
  ],
  "what versions know of others as far as a key is concerned": [
    { text: 'select * from :"schema".known_of_keys($1, $2, $3, $4)' },
    () => [
      [LARGE, SMALL],
      [FORK, AT],
      ["shared", "shared"],
      ["k7", "own1"]
    ]
  ],
  "whether keys were synchronised": [
    { text: 'select :"schema".have_synced($1, $2)' },
    () => [
      [LARGE, SMALL],
      [FORK, AT]
    ]
  ],
  "the keys that a large state has removed": [
    { text: 'select * from :"schema".removed_state_keys($1, $2, $3)' },
    () => [LARGE, AT + CHANGES, ["local"]]
  ],
  "the branch of a version": [
    "#projections/states/locate.sql",
    () => [streamOf(LARGE), FORK, null, null, null]
  ],
  "the version of a time": [
    "#projections/states/locate.sql",
    () => [streamOf(LARGE), null, null, new Date(), null]
  ],
  "the version of a position": [
    "#projections/states/locate.sql",
    () => [streamOf(LARGE), null, 1_000, null, null]
  ],
  "the last event of a stream": ["#projections/states/last.sql", () => [[streamOf(LARGE), streamOf(SMALL)]]],
  "the events of a stream from one on": [
    "#projections/states/page.sql",
    () => [streamOf(LARGE), AT, AT + BATCH]
  ],
  "where a branch begins": ["#projections/states/beginning.sql", () => [LARGE]],
  "the event of an id": ["#projections/states/by-id.sql", () => [CHECKPOINT]],
  "the whole of a change": ["#projections/states/whole-change.sql", () => [LARGE, FORK]],
  "the branches of a checkpoint": [
    { text: 'select :"schema".checkpoint_dropped($1, $2), :"schema".state_hash_at($2, $3)' },
    () => [CHECKPOINT, streamOf(LARGE), FORK]
  ],
  "a session that is over": [
    { text: 'select :"schema".session_ending($1, $2)' },
    () => [streamOf(DEEPEST), new Date()]
  ],
  "a state at a version": [
    { text: 'select :"schema".get_state_at_version($1, $2, $3)' },
    () => [`a-${SMALL}`, 1, "main"]
  ],
  "a state at a time": [
    { text: 'select :"schema".get_state_at_time($1, $2, $3)' },
    () => [`a-${SMALL}`, new Date(), "main"]
  ]
}

const ofFold = (sql: string): string => inGeneration(sql, "tidemark", states.relations, 1)
const ofReaders = (sql: string): string => withSchema(sql, "tidemark")

let nth = 0
const looksAt = async (session: Explained, [sql, values]: Call, set: (sql: string) => string) => {
  const { text, name } = statementOf(set(readSql(sql)))
  session.looks()
  // A fold has a transaction of its own.
  const isFold = set === ofFold
  for (let again = 0; again < REPEATS; again++) {
    if (isFold) {
      await session.query("begin")
      await session.query(statement("plan_by_index", "tidemark").text)
    }
    await session.query(text, values((nth += 1)), name)
    if (isFold) await session.query("commit")
  }
  return session.looks()
}

const opened: Array<Explained> = []
const session = async (): Promise<Explained> => {
  const one = await explained(log.db.url, TABLES)
  opened.push(one)
  return one
}
const analysed = async (): Promise<Explained> => {
  await log.db.query("analyze")
  return session()
}
/** As in a log of few agents, each with a long past, which would take long to fill. */
const analysedAsFew = async (): Promise<Explained> => {
  await log.db.query("alter table tidemark.events alter column stream set (n_distinct = 3)")
  return analysed()
}

beforeAll(() => fill(log.db))
afterAll(() => Promise.all(opened.map((one) => one.end())))

describe.each([
  ["in tables that nobody analysed", session],
  ["in tables that were analysed", analysed],
  ["in tables whose statistics say that there are few streams", analysedAsFew]
])("%s, no more is looked at than is wanted, for", (_, opens) => {
  let one: Explained
  beforeAll(async () => {
    one = await opens()
  })

  const thrifty = async (call: Call, set: (sql: string) => string) => {
    const looks = await looksAt(one, call, set)
    expect(looks.length).toBeGreaterThan(0)
    expect(looks.filter(({ node, rows: seen }) => node === "Seq Scan" || seen > FEW_ROWS)).toEqual([])
    return looks
  }

  test.each(Object.entries(folds))("%s", async (__, call) => void (await thrifty(call, ofFold)))
  test.each(Object.entries(questions))("%s", async (__, call) => void (await thrifty(call, ofReaders)))

  test("values that are kept from now on, each found by the primary key of its version", async () => {
    const looks = await thrifty([SAVE, saved], ofFold)
    const updated = looks.filter(({ table }) => table === "state_key_versions__1")
    expect(updated.map(({ index, rows: seen }) => [index, seen])).toEqual(
      Array.from({ length: REPEATS }, () => ["state_key_versions__1_pkey", BATCH])
    )
  })

  test("a value that SQL makes of patches, no event but those of its own", async () => {
    one.looks()
    for (let again = 0; again < REPEATS; again++)
      await one.query(`select state_value_at(${LARGE}, 'local', 'long', ${FORK})`)
    const read = one.looks().filter(({ table }) => table === "events")
    expect(read).toHaveLength(REPEATS)
    expect(read.filter(({ rows: seen }) => seen > FEW_ROWS)).toEqual([])
  })
})
