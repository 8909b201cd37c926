import { afterEach, beforeEach, describe, expect, test, vi } from "vitest"
import type { Event } from "../../src/index.ts"
import { upTo } from "../log/test-log.ts"
import { eventAt, memoryPartition, memorySettings } from "./memory-partition.ts"

// What is tried again shares the time of its partition with what is new, and one event with the others.

beforeEach(() => void vi.useFakeTimers({ toFake: ["performance"] }))
afterEach(() => void vi.useRealTimers())

/** A partition that holds events of so many streams, whose handler fails after `tookMs`. */
const holding = async (streams: number, tookMs: number) => {
  const tried: Array<number> = []
  const events = upTo(streams).map((n) => eventAt(n, `s-${n}`))
  const handler = (event: unknown): void => {
    tried.push((event as Event).position)
    vi.advanceTimersByTime(tookMs)
    throw new Error("no")
  }
  const settings = memorySettings({ retry: { attempts: 100, firstMs: 0, longestMs: 0 } })
  const scene = { hasNew: true }
  const partition = memoryPartition({ settings, events, handler, hasNew: () => scene.hasNew })
  await partition.cursor.refresh(false)
  for (const event of events) await partition.cursor.hold(event, new Error("no"))
  return { ...partition, scene, tried }
}

describe("a run of what is to be tried again", () => {
  test("ends after a second, and the next begins with those that had no turn", async () => {
    const { retries, tried } = await holding(5, 600)
    await retries.run()
    expect(tried).toEqual([1, 2])
    await retries.run()
    await retries.run()
    expect(tried).toEqual([1, 2, 3, 4, 5, 1])
  })

  test("tries one at least, however long that takes", async () => {
    const { retries, tried } = await holding(3, 60_000)
    for (const times of upTo(4)) {
      await retries.run()
      expect(tried).toHaveLength(times)
    }
    expect(tried).toEqual([1, 2, 3, 1])
  })

  test("leaves as much time to new events, and one of them its turn at least", async () => {
    const { cursor, retries, scene } = await holding(1, 60_000)
    expect(retries.isDue).toBe(true)
    await retries.run()
    expect(retries.isDue).toBe(false)
    vi.advanceTimersByTime(60_000)
    expect(retries.isDue).toBe(false)
    cursor.handled += 1
    expect(retries.isDue).toBe(true)
    await retries.run()
    cursor.handled += 1
    vi.advanceTimersByTime(59_999)
    expect(retries.isDue).toBe(false)
    scene.hasNew = false
    expect(retries.isDue).toBe(true)
  })

  test("comes before new events that cannot be read or written down, and after them where it is the one", async () => {
    const { places, retries } = await holding(1, 10)
    await retries.run()
    retries.trouble()
    expect(retries.isDue).toBe(true)
    places.due = () => {
      throw new Error("gone")
    }
    await expect(retries.run()).rejects.toThrow("gone")
    retries.trouble()
    expect(retries.isDue).toBe(false)
    retries.trouble()
    expect(retries.isDue).toBe(true)
  })
})
