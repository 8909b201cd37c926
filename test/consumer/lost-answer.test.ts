import { Effect } from "effect"
import { describe, expect, test } from "vitest"
import { Gone } from "../../src/consumer/cursor.ts"
import type { HeldEvent } from "../../src/index.ts"
import { collector, until } from "../support/eventually.ts"
import { startProxy } from "../support/proxy.ts"
import { eventAt, memoryPartition, memorySettings, MemoryPlaces } from "./memory-partition.ts"
import { consumerLog, failingOn, SOON } from "./scene.ts"

const log = consumerLog()

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

test.each(["park", "stop"] as const)(
  "an event is given up for good where the connection was lost over that (%s)",
  async (giveUp) => {
    const one = log.fresh()
    await using proxy = await startProxy(log.db.url)
    const engine = await log.open({ database: proxy.url })
    const parked = collector<HeldEvent>()
    const { calls, handler } = failingOn(() => true)
    const retry = { ...SOON, attempts: 2, giveUp }
    const subscription = await engine.subscribe({ ...one, retry, onParked: parked.push }, handler)
    const lost = proxy.loseReply(/no a1, attempt 2/, "cut")
    await log.emit(`${one.categories[0]}-a`, 1)
    await lost
    if (giveUp === "park") expect(await parked.reaches(1)).toMatchObject([{ attempts: 2 }])
    else await until(async () => (await subscription.control.status()).partitions[0]!.state === "stopped")
    expect(calls.items).toEqual(["a1!", "a1!"])
    await engine.close()
  }
)
