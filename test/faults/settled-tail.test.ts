import { expect, test } from "vitest"
import { testDatabase } from "../support/database.ts"
import { seedFor } from "../support/random.ts"
import { engines } from "./scene.ts"
import { settledTail } from "./settled-tail.ts"

const db = testDatabase()
const open = engines()

test("every committed event reaches each reader once and in order, and no unrelated transaction holds it up", async () => {
  const engine = await open({ database: db.url })
  const { events } = await settledTail({
    seed: seedFor("settled tail"),
    database: db.url,
    otherDatabase: await db.fresh({ empty: true }),
    engine,
    transactions: 100,
    readers: 2,
    readersStartWithin: 1_500
  })
  expect(events).toBeGreaterThan(2_000)
})
