import { Effect } from "effect"
import { describe, expect, test } from "vitest"
import { Gone } from "../../src/consumer/cursor.ts"
import type { HeldEvent } from "../../src/index.ts"
import { eventAt, memoryPartition, memorySettings, MemoryPlaces } from "./memory-partition.ts"

const LOST = new Error("the connection was lost")

/** A partition whose handler always fails, and the answers to whose writes are lost from when a test says so. */
const scene = (giveUp: "park" | "stop", attempts: number) => {
  const parked: Array<HeldEvent> = []
  const places = new MemoryPlaces()
  const network = { isLosing: false, isWritten: true }
  const { keep } = places
  places.keep = (...asked) =>
    Effect.suspend(() => {
      if (!network.isLosing) return keep(...asked)
      return Effect.andThen(network.isWritten ? keep(...asked) : Effect.void, Effect.die(LOST))
    })
  const event = eventAt(1, "s-a")
  const calls: Array<number> = []
  const partition = memoryPartition({
    settings: memorySettings({
      retry: { attempts, giveUp, firstMs: 0, longestMs: 0 },
      onParked: (one) => void parked.push(one)
    }),
    events: [event],
    places,
    handler: () => {
      calls.push(1)
      throw new Error("no")
    }
  })
  /** All attempts; the answer to what is written of the last is lost. */
  const failing = async () => {
    const { delivery, retries } = partition
    network.isLosing = attempts === 1
    const first = delivery.stretch([event], 1)
    if (attempts === 1) return expect(first).rejects.toThrow(LOST)
    await first
    network.isLosing = true
    await expect(retries.run()).rejects.toThrow(LOST)
  }
  return { ...partition, places, network, parked, calls, failing }
}

describe.each([
  ["the first attempt", 1],
  ["a later attempt", 2]
])("what is written of an event that was given up after %s", (_, attempts) => {
  test("is told where it was parked, though the answer was lost", async () => {
    const { cursor, network, parked, failing } = scene("park", attempts)
    await failing()
    expect(parked).toEqual([])
    network.isLosing = false
    await cursor.refresh(false)
    expect(parked).toMatchObject([{ position: 1, state: "parked", attempts }])
    await cursor.refresh(false)
    expect(parked).toHaveLength(1)
  })

  test("stops the partition, though the answer was lost", async () => {
    const { cursor, network, failing } = scene("stop", attempts)
    await failing()
    network.isLosing = false
    const gone = await cursor.refresh(false).catch((thrown: unknown) => thrown)
    expect(gone).toBeInstanceOf(Gone)
    expect((gone as Gone).ending).toMatchObject({ kind: "stopped", reason: { position: 1, attempts } })
  })

  test("is told once it was written, where it was not", async () => {
    const { cursor, retries, network, parked, calls, failing } = scene("park", attempts)
    network.isWritten = false
    await failing()
    network.isLosing = false
    await cursor.refresh(false)
    expect(parked).toEqual([])
    await cursor.keep()
    if (cursor.holding.nextAt <= performance.now()) await retries.run()
    expect(parked).toMatchObject([{ position: 1, state: "parked", attempts }])
    expect(calls).toHaveLength(attempts === 1 ? 1 : 3)
  })
})
