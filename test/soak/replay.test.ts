import { test } from "vitest"
import { expectBounded, fill } from "../log/replay/long-log.ts"
import { testLog } from "../log/test-log.ts"

const log = testLog()

const EVENTS = 5_000_000
/** It is the memory that counts: how fast a replay is, is measured on a machine that does nothing else. */
const HALF_AN_HOUR = 1_800_000

test(`${EVENTS} events are replayed in the memory of a page`, { timeout: 2 * HALF_AN_HOUR }, async () => {
  await fill(log.db, EVENTS)
  await expectBounded(log.db, {}, EVENTS, HALF_AN_HOUR)
})
