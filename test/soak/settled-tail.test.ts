import { expect, test } from "vitest"
import { engines } from "../faults/scene.ts"
import { settledTail } from "../faults/settled-tail.ts"
import { testDatabase } from "../support/database.ts"
import { seedFor } from "../support/random.ts"

const db = testDatabase()
const open = engines()

const minuteMs = 60_000

test("the settled tail holds under many writers for minutes", { timeout: 15 * minuteMs }, async () => {
  const engine = await open({ database: db.url })
  const { events } = await settledTail({
    seed: seedFor("settled tail, soak"),
    database: db.url,
    otherDatabase: await db.fresh({ empty: true }),
    engine,
    transactions: 3_000,
    readers: 3,
    readersStartWithin: minuteMs / 2
  })
  expect(events).toBeGreaterThan(100_000)
})
