import { Effect } from "effect"
import { expect, test } from "vitest"
import { eventAt, memoryPartition, memorySettings, MemoryPlaces } from "./memory-partition.ts"

// Between the decision to hand an event over and the call of its handler, time may pass: for a transaction, or a turn.

const scene = (options: { readonly transactional: boolean }) => {
  const events = [eventAt(1, "s-a"), eventAt(2, "s-b")]
  const calls: Array<number> = []
  const state = { isEnding: false }
  const places = new MemoryPlaces()
  const partition = memoryPartition({
    settings: memorySettings({ ...options, retry: { firstMs: 0, longestMs: 0 } }),
    events,
    places,
    handler: (event) => void calls.push((event as { readonly position: number }).position),
    parts: { ends: () => state.isEnding, halts: () => state.isEnding }
  })
  return { ...partition, events, calls, state }
}

test("an event is not tried again in a transaction for which it waited until it was not to be any more", async () => {
  const { cursor, retries, places, events, calls, state } = scene({ transactional: true })
  await cursor.hold(events[0]!, new Error("no"))
  const { sure } = places
  // Asked in the transaction, before anything is handed over.
  places.sure = () => Effect.sync(() => void (state.isEnding = true))
  await retries.run()
  expect(calls).toEqual([])
  expect(places.sorted()).toMatchObject([{ position: 1, state: "retrying", attempts: 1 }])
  Object.assign(places, { sure })
  state.isEnding = false
  await retries.run()
  expect(calls).toEqual([1])
  expect(places.sorted()).toEqual([])
})

test.each([
  ["transactional", true],
  ["at least once", false]
])("no handler begins once it is not waited for any longer (%s)", async (_, transactional) => {
  const { cursor, delivery, retries, handling, places, events, calls } = scene({ transactional })
  await cursor.hold(events[0]!, new Error("no"))
  handling.abandon()
  await retries.run()
  await delivery.stretch(events, 2)
  expect(calls).toEqual([])
  expect(cursor.handled).toBe(1)
  expect(places.sorted()).toMatchObject([{ position: 1, state: "retrying", attempts: 1 }])
})
