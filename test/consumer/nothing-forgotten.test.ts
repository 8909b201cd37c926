import fc from "fast-check"
import { expect, test } from "vitest"
import type { Event } from "../../src/index.ts"
import { eventAt, memoryPartition, memorySettings, MemoryPlaces } from "./memory-partition.ts"

// The law of a partition that holds what fails: every event ends handled, or parked, or behind a parked one of its stream; and at
// no time does one wait that nothing is before.

const ATTEMPTS = 3
const MOST_ROUNDS = 500

const program = fc.record({
  /** The stream of each event. */
  streams: fc.array(fc.integer({ min: 0, max: 3 }), { minLength: 1, maxLength: 25 }),
  /** How often each fails. */
  failures: fc.array(fc.constantFrom(0, 0, 0, 1, 2, ATTEMPTS), { minLength: 25, maxLength: 25 }),
  /** Of which streams an event is parked from the start. */
  held: fc.uniqueArray(fc.integer({ min: 0, max: 3 }), { maxLength: 2 }),
  batch: fc.integer({ min: 1, max: 5 }),
  /** How many events the log has more, each time that it is looked at. */
  page: fc.integer({ min: 1, max: 25 }),
  /** Whether what is to be tried again has to wait for the end of what is at hand. */
  isPatient: fc.boolean(),
  transactional: fc.boolean()
})

const parkedOf = (streams: ReadonlyArray<number>) =>
  streams.map((stream, index) => ({
    position: index + 1,
    stream: `s-${stream}`,
    type: "Numbered",
    state: "parked" as const,
    attempts: ATTEMPTS,
    errors: [],
    due_ms: null
  }))

test("whatever fails, in whatever batches: nothing is forgotten, and streams stay in order", async () => {
  await fc.assert(
    fc.asyncProperty(program, async ({ streams, failures, held, batch, page, isPatient, transactional }) => {
      const first = held.length + 1
      const events = streams.map((stream, index) => eventAt(first + index, `s-${stream}`))
      const last = first + streams.length - 1
      const left = new Map<number, number>(events.map(({ position }, index) => [position, failures[index]!]))
      const places = new MemoryPlaces()
      for (const row of parkedOf(held)) places.rows.set(row.position, row)
      places.position = held.length
      let handled: Array<Event> = []
      let kept: Array<Event> = []
      const handler = (given: Event | ReadonlyArray<Event>): void => {
        const some = given as ReadonlyArray<Event>
        for (const { position } of some) {
          const times = left.get(position)!
          if (times === 0) continue
          // One of several does not count as tried: each is tried alone then.
          if (some.length === 1) left.set(position, times - 1)
          throw new Error(`no ${position}`)
        }
        handled.push(...some)
      }
      const settings = memorySettings({
        batch,
        transactional,
        retry: { attempts: ATTEMPTS, firstMs: 0, longestMs: 0 }
      })
      const onRollback = () => (handled = kept.slice())
      const { cursor, delivery, retries } = memoryPartition({
        settings,
        events,
        handler,
        places,
        onRollback,
        ...(isPatient ? { parts: { halts: () => false } } : {})
      })
      await cursor.refresh(false)
      let rounds = 0
      while (cursor.handled < last || cursor.holding.nextAt <= performance.now()) {
        rounds += 1
        if (rounds > MOST_ROUNDS) throw new Error(`nothing moves at ${cursor.handled}`)
        if (cursor.holding.nextAt <= performance.now()) await retries.run()
        else {
          const stretch = events.filter(({ position }) => position > cursor.handled).slice(0, page)
          await delivery.stretch(stretch, stretch.at(-1)!.position)
        }
        kept = handled.slice()
        expect(places.forgotten()).toEqual([])
      }
      await cursor.keep()
      expect(places.forgotten()).toEqual([])
      expect(places.sorted().filter(({ state }) => state === "retrying")).toEqual([])
      const done = handled.map(({ position }) => position)
      expect(new Set(done).size).toBe(done.length)
      const known = [...done, ...places.rows.keys()].filter((position) => position >= first)
      expect(known.toSorted((one, other) => one - other)).toEqual(events.map(({ position }) => position))
      for (const stream of streams) {
        const inOrder = handled
          .filter((event) => event.stream === `s-${stream}`)
          .map(({ position }) => position)
        expect(inOrder).toEqual(inOrder.toSorted((one, other) => one - other))
      }
    }),
    { numRuns: 300 }
  )
})

test("an event that was passed already does not become one that waits: nothing would be before it", () => {
  const events = [eventAt(1, "s-a"), eventAt(2, "s-a")]
  const { cursor } = memoryPartition({ settings: memorySettings({}), events, handler: () => undefined })
  cursor.wait(events[1]!)
  for (const event of events) expect(() => cursor.wait(event)).toThrow("was passed already")
  expect(cursor.unwritten).toBe(1)
})
