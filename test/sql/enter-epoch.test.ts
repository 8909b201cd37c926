import { expect, test } from "vitest"
import { testDatabase } from "../support/database.ts"

const db = testDatabase()

test("a log whose sequence was left behind at its first event goes on after it", async () => {
  const append = `select "position"::integer from tidemark.append_events('order-1', '[{"type": "Made"}]')`
  expect(await db.query(append)).toEqual([{ position: 1 }])
  // As after a restore of the tables alone, onto another server.
  await db.query("select setval('tidemark.log_position', 1, false)")
  await db.query("update tidemark.epochs set system_identifier = system_identifier + 1")
  expect(await db.query("select epoch from tidemark.enter_epoch()")).toEqual([{ epoch: 2 }])
  expect(await db.query(append)).toEqual([{ position: 2 }])
})
