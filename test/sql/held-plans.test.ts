import { randomUUID } from "node:crypto"
import { afterAll, beforeAll, expect, test } from "vitest"
import { statement } from "../../src/postgres/sql-file.ts"
import { testDatabase } from "../support/database.ts"
import { type Explained, explained, REPEATS } from "./explained.ts"

// What the server looks at where thousands of events wait behind one that is tried again, each time that one is handled.

const db = testDatabase()

const NAME = "held"
const engine = randomUUID()

/** How many events wait behind one that is tried again, in each of two streams. */
const WAITING = 20_000

/** What one statement may look at among held events, however many wait. */
const FEW_ROWS = 20

const { text } = statement("keep_place", "tidemark")

let at = 0
/** The first of those of the second stream: those of the other lie before them all. */
let first = WAITING + 1

/** Its owner writes down that some held events are handled. */
const keep = async (session: Explained, done: ReadonlyArray<number>): Promise<void> => {
  await session.query(text, [NAME, 0, 1, engine, at, at + 1, "[]", done, 0, null], "keep_place")
  at += 1
}

const opened: Array<Explained> = []

/** A session that makes its plans now. */
const session = async (): Promise<Explained> => {
  const one = await explained(db.url, /^held_events$/)
  opened.push(one)
  return one
}

/** One that made its plans while nothing was held. */
let early: Explained

beforeAll(async () => {
  await db.query("alter table tidemark.held_events set (autovacuum_enabled = off)")
  await db.query(
    "insert into tidemark.subscription_cursors (subscription, partition, position, owner) values ($1, 0, 0, $2)",
    [NAME, engine]
  )
  early = await session()
  // As often as it takes until a session keeps its plan.
  for (let nth = 0; nth < REPEATS; nth++) await keep(early, [first])
  await db.query(
    `insert into tidemark.held_events (subscription, position, partition, stream, type, state, due_at)
     select $1, n, 0, 'order-' || (n > $2)::integer, 'T', case n when $2 + 1 then 'retrying' else 'waiting' end,
       case n when $2 + 1 then clock_timestamp() end
     from generate_series(1, 2 * $2::integer) n`,
    [NAME, WAITING]
  )
})

afterAll(() => Promise.all(opened.map((one) => one.end())))

const analysed = async (): Promise<Explained> => {
  await db.query("analyze tidemark.held_events")
  return session()
}

test.each([
  ["by a session that planned when nothing was held", async () => early],
  ["in a table that nobody analysed", session],
  ["in a table that was analysed", analysed]
])("however many events wait, what comes next is found by an index, %s", async (_, opens) => {
  const one = await opens()
  for (let nth = 0; nth < REPEATS; nth++) {
    await keep(one, [first])
    first += 1
    const next = "select position::integer, state from tidemark.held_events where position = $1"
    expect(await db.query(next, [first])).toEqual([{ position: first, state: "retrying" }])
  }
  const looks = one.looks()
  expect(looks.length).toBeGreaterThan(0)
  expect(looks.filter(({ node, rows }) => node === "Seq Scan" || rows > FEW_ROWS)).toEqual([])
})
