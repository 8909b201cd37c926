import { Effect } from "effect"
import { describe, expect, test } from "vitest"
import type { Event, HandlerContext } from "../../src/index.ts"
import { upTo } from "../log/test-log.ts"
import { eventAt, memoryPartition, memorySettings, MemoryPlaces } from "./memory-partition.ts"

// What waited behind a held event is as much as came meanwhile: a write for each of them would keep its partition busy for hours.

const EVENTS = 500

interface Scene {
  readonly transactional?: boolean
  readonly batch?: number
  readonly ack?: "event"
  /** On which events the handler fails, and on how many attempts. */
  readonly failing?: ReadonlyMap<number, number>
}

/** A partition that holds its first event, and behind that all others, of one stream or of three. */
const held = async (streams: number, { failing = new Map(), ...options }: Scene = {}) => {
  const places = new MemoryPlaces()
  const events = upTo(EVENTS).map((n) => eventAt(n, `s-${n % streams}`))
  const calls: Array<ReadonlyArray<number>> = []
  const handler = (given: Event | ReadonlyArray<Event>, { attempt }: HandlerContext): void => {
    const positions = [given].flat().map(({ position }) => position)
    calls.push(positions)
    for (const position of positions)
      if ((failing.get(position) ?? 0) >= attempt) throw new Error(`no ${position}`)
  }
  const settings = memorySettings({ retry: { attempts: 3, firstMs: 0, longestMs: 0 }, ...options })
  const partition = memoryPartition({ settings, events, handler, places })
  const { cursor, retries } = partition
  await cursor.refresh(false)
  for (const event of events) {
    if (event.position <= streams) await cursor.hold(event, new Error("no"))
    else cursor.wait(event)
  }
  await cursor.keep()
  let writes = 0
  const { keep } = places
  places.keep = (...asked) => {
    writes += 1
    return keep(...asked)
  }
  const drain = async () => {
    while (cursor.holding.nextAt <= performance.now()) await retries.run()
    return writes
  }
  return { ...partition, places, calls, drain }
}

const inOrder = (calls: ReadonlyArray<ReadonlyArray<number>>, streams: number): boolean =>
  upTo(streams).every((stream) => {
    const ofStream = calls.flat().filter((position) => position % streams === stream % streams)
    return ofStream.every((position, at) => at === 0 || position > ofStream[at - 1]!)
  })

describe.each([
  ["at least once", false],
  ["transactional", true]
])("what waits behind events that are handled at last (%s)", (_, transactional) => {
  test.each([1, 3])("is handled in order, with a write for many, where %d streams wait", async (streams) => {
    const { places, calls, drain } = await held(streams, { transactional })
    expect(await drain()).toBeLessThan(12)
    expect(calls).toHaveLength(EVENTS)
    expect(inOrder(calls, streams)).toBe(true)
    expect(places.sorted()).toEqual([])
  })

  test("comes several at once to a handler that takes as many", async () => {
    const { calls, drain } = await held(1, { transactional, batch: 50 })
    await drain()
    expect(calls.map(({ length }) => length)).toEqual([1, ...upTo(9).map(() => 50), 49])
    expect(calls.flat()).toEqual(upTo(EVENTS))
  })

  test("is written down one by one where every event is to be", async () => {
    const { drain } = await held(1, { transactional, ack: "event" })
    expect(await drain()).toBeGreaterThanOrEqual(EVENTS)
  })

  test("goes on up to one that fails, and behind that once it is handled", async () => {
    const failing = new Map([[200, 2]])
    const { places, calls, drain } = await held(1, { transactional, failing })
    // The batches that find the one that fails, and its attempts, cost a few writes each.
    expect(await drain()).toBeLessThan(24)
    expect([...new Set(calls.flat())]).toEqual(upTo(EVENTS))
    expect(places.sorted()).toEqual([])
  })

  test("waits on behind one that is given up, and passes nothing by", async () => {
    const failing = new Map([[200, 3]])
    const { places, calls, drain } = await held(1, { transactional, failing, batch: 10 })
    await drain()
    // With the one that fails, the one behind it was handed over once: they came together.
    expect([...new Set(calls.flat())]).toEqual(upTo(201))
    expect(places.sorted().map(({ state }) => state)).toEqual([
      "parked",
      ...upTo(EVENTS - 200).map(() => "waiting")
    ])
  })
})

test.each(["write", "answer"])(
  "what was handled is not handed over again where the %s of that was lost",
  async (what) => {
    const { places, cursor, retries, calls } = await held(1)
    const { keep } = places
    const lost = new Error("the connection was lost")
    places.keep = (...asked) => {
      places.keep = keep
      return Effect.andThen(what === "write" ? Effect.void : keep(...asked), Effect.die(lost))
    }
    await expect(retries.run()).rejects.toThrow(lost)
    await cursor.refresh(false)
    while (cursor.holding.nextAt <= performance.now()) await retries.run()
    expect(calls.flat()).toEqual(upTo(EVENTS))
  }
)
