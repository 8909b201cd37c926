import { randomUUID } from "node:crypto"
import { beforeEach, describe, expect, test } from "vitest"
import { statement } from "../../src/postgres/sql-file.ts"
import { testDatabase } from "../support/database.ts"

// What one statement of an owner does with what it holds. Its parts see the table as it was before, so that what it puts behind an
// event is not seen by what it takes away in front of it: owners never do both for one stream at once.

const db = testDatabase()
const NAME = "ahead"
const engine = randomUUID()

interface Ahead {
  readonly stream: string | null
  readonly is_held: boolean | null
  readonly next: string | null
}

const one = (position: number, stream: string, state: string) => ({
  position,
  stream,
  type: "Numbered",
  state,
  attempts: state === "waiting" ? 0 : 1,
  errors: [],
  due_ms: state === "retrying" ? 0 : null
})

let at = 0

const keep = async (held: ReadonlyArray<object>, done: ReadonlyArray<number>) => {
  const { text } = statement("keep_place", "tidemark")
  const values = [NAME, 0, 1, engine, at, at + 1, JSON.stringify(held), done, 0, null]
  at += 1
  return db.query<Ahead & Record<string, unknown>>(text, values)
}

const heldNow = () =>
  db.query<{ position: string; state: string }>(
    "select position, state from tidemark.held_events where subscription = $1 order by position",
    [NAME]
  )

beforeEach(async () => {
  at = 0
  await db.query("delete from tidemark.subscription_cursors")
  await db.query("delete from tidemark.held_events")
  await db.query(
    "insert into tidemark.subscription_cursors (subscription, partition, position, owner) values ($1, 0, 0, $2)",
    [NAME, engine]
  )
})

describe("an owner that writes down that a held event is handled", () => {
  test("is told what comes next in its stream, which is due from then on", async () => {
    await keep([one(1, "a-1", "retrying"), one(2, "a-1", "waiting"), one(3, "a-1", "waiting")], [])
    expect(await keep([], [1])).toEqual([{ stream: "a-1", is_held: true, next: "2" }])
    expect(await heldNow()).toEqual([
      { position: "2", state: "retrying" },
      { position: "3", state: "waiting" }
    ])
    expect(await keep([], [2, 3])).toEqual([{ stream: "a-1", is_held: false, next: null }])
  })

  test("does not hurry what is due later, or parked, in its stream", async () => {
    await keep([one(1, "a-1", "retrying"), one(2, "a-1", "parked"), one(3, "a-1", "waiting")], [])
    expect(await keep([], [1])).toEqual([{ stream: "a-1", is_held: true, next: null }])
    expect((await heldNow()).map(({ state }) => state)).toEqual(["parked", "waiting"])
  })

  test("is told nothing of what the same statement puts behind it: nobody may do both for one stream", async () => {
    await keep([one(1, "a-1", "retrying")], [])
    expect(await keep([one(2, "a-1", "waiting")], [1])).toEqual([
      { stream: "a-1", is_held: false, next: null }
    ])
    // Left like this it would wait for nobody.
    expect(await heldNow()).toEqual([{ position: "2", state: "waiting" }])
  })

  test("may hold events of other streams in the same statement", async () => {
    await keep([one(1, "a-1", "retrying"), one(2, "a-1", "waiting")], [])
    expect(await keep([one(3, "b-1", "retrying")], [1])).toEqual([
      { stream: "a-1", is_held: true, next: "2" }
    ])
    expect(await heldNow()).toEqual([
      { position: "2", state: "retrying" },
      { position: "3", state: "retrying" }
    ])
  })
})
