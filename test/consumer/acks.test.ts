import { expect, test } from "vitest"
import { type DeliveryParts, PlainDelivery } from "../../src/consumer/delivery.ts"
import type { Event } from "../../src/index.ts"
import { upTo } from "../log/test-log.ts"

/** A cursor for which no time passes, and what it was asked to write down. */
const timeless = () => {
  const kept: Array<number> = []
  const cursor = {
    place: { epoch: 1, partition: 0 },
    handled: 0,
    owed: 0,
    unwritten: 0,
    limit: Number.MAX_SAFE_INTEGER,
    get keptAt() {
      return performance.now()
    },
    isBlocked: () => false,
    keep: async () => {
      kept.push(cursor.handled)
      cursor.owed = 0
    }
  }
  return { cursor, kept }
}

const events = (from: number, to: number): ReadonlyArray<Event> =>
  upTo(to - from + 1).map((n) => ({ position: from + n - 1, stream: "order-a" }) as Event)

test("a thousand handled events are written down together, and fewer not before a moment has passed", async () => {
  const { cursor, kept } = timeless()
  const delivery = new PlainDelivery({
    cursor,
    handling: { run: () => undefined },
    settings: { batch: 0, ackEvery: false },
    halts: () => false,
    isLive: () => true,
    rate: { add: () => undefined }
  } as unknown as DeliveryParts)
  await delivery.stretch(events(1, 999), 999)
  expect(kept).toEqual([])
  await delivery.stretch(events(1_000, 1_000), 1_000)
  expect(kept).toEqual([1_000])
  await delivery.stretch(events(1_001, 1_500), 1_500)
  expect(kept).toEqual([1_000])
  await delivery.stretch(events(1_501, 2_400), 2_400)
  expect(kept).toEqual([1_000, 2_400])
})
