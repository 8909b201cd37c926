import { Effect } from "effect"
import fc from "fast-check"
import { expect, test } from "vitest"
import type { Event, HandlerContext } from "../../src/index.ts"
import { eventAt, memoryPartition, memorySettings, MemoryPlaces } from "./memory-partition.ts"

// The law of a partition that holds what fails: every event ends handled, or parked, or behind a parked one of its stream; and at
// no time does one wait that nothing is before.

const ATTEMPTS = 3
const LOST = new Error("the connection was lost")
const MOST_ROUNDS = 500

const program = fc.record({
  /** The stream of each event. */
  streams: fc.array(fc.integer({ min: 0, max: 3 }), { minLength: 1, maxLength: 25 }),
  /** On how many attempts each fails. */
  failures: fc.array(fc.constantFrom(0, 0, 0, 1, 2, ATTEMPTS), { minLength: 25, maxLength: 25 }),
  /** Of which streams an event is parked from the start. */
  held: fc.uniqueArray(fc.integer({ min: 0, max: 3 }), { maxLength: 2 }),
  batch: fc.integer({ min: 1, max: 5 }),
  /** How many events the log has more, each time that it is looked at. */
  page: fc.integer({ min: 1, max: 25 }),
  /** … and how many what is tried again. */
  heldPage: fc.integer({ min: 1, max: 25 }),
  /** Whether what is to be tried again has to wait for the end of what is new. */
  isPatient: fc.boolean(),
  /** What becomes of what is written, one after the other. */
  network: fc.array(fc.constantFrom("works", "works", "loses the write", "loses the answer"), {
    maxLength: 20
  }),
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
    fc.asyncProperty(
      program,
      async ({ streams, failures, held, batch, page, heldPage, isPatient, network, transactional }) => {
        const first = held.length + 1
        const events = streams.map((stream, index) => eventAt(first + index, `s-${stream}`))
        const last = first + streams.length - 1
        const failing = (position: number): number => failures[position - first]!
        const places = new MemoryPlaces()
        for (const row of parkedOf(held)) places.rows.set(row.position, row)
        places.position = held.length
        let handled: Array<Event> = []
        const fates = [...network]
        const { keep } = places
        places.keep = (...asked) =>
          Effect.suspend(() => {
            const fate = fates.shift() ?? "works"
            if (fate === "works") return keep(...asked)
            const written = fate === "loses the write" ? Effect.void : keep(...asked)
            return Effect.andThen(written, Effect.die(LOST))
          })
        const handler = (given: Event | ReadonlyArray<Event>, { attempt }: HandlerContext): void => {
          const some = given as ReadonlyArray<Event>
          const bad = some.find(({ position }) => failing(position) >= attempt)
          if (bad !== undefined) throw new Error(`no ${bad.position}`)
          handled.push(...some)
        }
        const settings = memorySettings({
          batch,
          transactional,
          retry: { attempts: ATTEMPTS, firstMs: 0, longestMs: 0 }
        })
        const save = () => {
          const before = handled.slice()
          return () => void (handled = before)
        }
        const { cursor, delivery, retries } = memoryPartition({
          settings,
          events,
          handler,
          places,
          pageEvents: heldPage,
          effects: { save },
          ...(isPatient ? { parts: { halts: () => false } } : {})
        })
        await cursor.refresh(false)
        let rounds = 0
        const isDue = () => cursor.holding.nextAt <= performance.now()
        while (cursor.handled < last || isDue() || !cursor.isKept) {
          rounds += 1
          if (rounds > MOST_ROUNDS) throw new Error(`nothing moves at ${cursor.handled}`)
          try {
            if (isDue() && !(isPatient && cursor.handled < last)) await retries.run()
            else if (cursor.handled >= last) await cursor.keep()
            else {
              const stretch = events.filter(({ position }) => position > cursor.handled).slice(0, page)
              await delivery.stretch(stretch, stretch.at(-1)!.position)
            }
          } catch (thrown) {
            if (thrown !== LOST) throw thrown
            await cursor.refresh(false)
          }
          expect(places.forgotten()).toEqual([])
        }
        for (const { state, position } of places.sorted()) {
          expect(state).not.toBe("retrying")
          if (state === "parked" && position >= first) expect(failing(position)).toBe(ATTEMPTS)
        }
        const all = handled.map(({ position }) => position)
        const done = [...new Set(all)]
        expect(done.filter((position) => failing(position) === ATTEMPTS)).toEqual([])
        if (transactional || network.length === 0) expect(all).toEqual(done)
        const known = [...done, ...places.rows.keys()].filter((position) => position >= first)
        expect(known.toSorted((one, other) => one - other)).toEqual(events.map(({ position }) => position))
        for (const stream of streams) {
          const inOrder = done.filter((position) => events[position - first]!.stream === `s-${stream}`)
          expect(inOrder).toEqual(inOrder.toSorted((one, other) => one - other))
        }
      }
    ),
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
