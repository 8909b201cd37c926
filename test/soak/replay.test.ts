import { test } from "vitest"
import { expectBounded, fill } from "../log/replay/long-log.ts"
import { testLog } from "../log/test-log.ts"

const log = testLog()

const EVENTS = 5_000_000
const FIVE_MINUTES = 300_000

test(`${EVENTS} events are replayed in the memory of a page`, { timeout: 2 * FIVE_MINUTES }, async () => {
  await fill(log.db, EVENTS)
  await expectBounded(log.db, {}, EVENTS, FIVE_MINUTES)
})
