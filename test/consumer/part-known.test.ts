import { expect, test } from "vitest"
import { MOST_HELD_STREAMS } from "../../src/consumer/held.ts"
import { upTo } from "../log/test-log.ts"
import { eventAt, memoryPartition, memorySettings, MemoryPlaces } from "./memory-partition.ts"

test("where more streams are held than are remembered, nothing new is taken on until all are known", async () => {
  const places = new MemoryPlaces()
  // As many are due as are tried in one run, which frees more streams than there are too many.
  const due = 100
  const events = upTo(MOST_HELD_STREAMS + 50).map((n) => eventAt(n, `s-${n}`))
  for (const { position, stream, type } of events) {
    const isDue = position <= due
    const state = isDue ? "retrying" : "parked"
    places.rows.set(position, {
      position,
      stream,
      type,
      state,
      attempts: 1,
      errors: [],
      due_ms: isDue ? 0 : null
    })
  }
  const wasFull: Array<boolean> = []
  const handler = () => void wasFull.push(cursor.holding.isFull)
  const { cursor, retries } = memoryPartition({ settings: memorySettings({}), events, places, handler })
  await cursor.refresh(false)
  const next = eventAt(events.length + 1, events.at(-1)!.stream)
  expect(cursor.isBlocked(next)).toBe(false)
  await retries.run()
  expect(wasFull).toEqual(upTo(due).map(() => true))
  expect(cursor.holding.isFull).toBe(false)
  expect(cursor.isBlocked(next)).toBe(true)
})
