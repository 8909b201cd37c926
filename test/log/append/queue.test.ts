import fc from "fast-check"
import { describe, expect, test } from "vitest"
import type { ExpectedVersion } from "../../../src/log/event.ts"
import {
  AppendQueue,
  type Entry,
  MAX_BATCH_BYTES,
  MAX_BATCH_EVENTS,
  MAX_WAITING_BYTES,
  MAX_WAITING_EVENTS
} from "../../../src/log/queue.ts"

// Rules A4 and A5: first in, first out for each stream; who checks a version comes first for its stream in its batch.

interface Given {
  readonly streams: ReadonlyArray<string>
  readonly expected?: ExpectedVersion
  readonly id?: string
  readonly events?: number
  readonly bytes?: number
}

interface Numbered extends Entry {
  readonly nth: number
}

const entry = (nth: number, { streams, expected = "any", id, events = 1, bytes = 1 }: Given): Numbered => ({
  nth,
  request: {
    events,
    bytes,
    ownIds: id !== undefined,
    parts: streams.map((stream) => ({
      stream,
      expected,
      rows: [
        {
          id: id ?? `${nth}-${stream}`,
          stream,
          type: "T",
          data: "{}",
          labels: [],
          meta: "{}",
          schemaVersion: 1
        }
      ]
    }))
  }
})

const queueOf = (...given: ReadonlyArray<Given>) => {
  const queue = new AppendQueue<Numbered>()
  given.forEach((one, nth) => queue.push(entry(nth, one)))
  return queue
}

const taken = (queue: AppendQueue<Numbered>) => queue.take().map(({ nth }) => nth)

describe("a batch", () => {
  test("takes all who wait for streams that are free", () => {
    const queue = queueOf({ streams: ["a"] }, { streams: ["b"] }, { streams: ["a"] })
    expect(taken(queue)).toEqual([0, 1, 2])
    expect(queue.events).toBe(0)
  })

  test("leaves out streams of a batch under way, until it is done with them", () => {
    const queue = queueOf({ streams: ["a"] })
    const first = queue.take()
    queue.push(entry(1, { streams: ["a"] }))
    queue.push(entry(2, { streams: ["b"] }))
    expect(taken(queue)).toEqual([2])
    expect(taken(queue)).toEqual([])
    queue.release(first)
    expect(taken(queue)).toEqual([1])
  })

  test("leaves out a stream until everything of it that is under way is done", () => {
    const queue = queueOf({ streams: ["a"] }, { streams: ["a"] })
    const [first, second] = queue.take()
    queue.push(entry(2, { streams: ["a"] }))
    queue.release([first!])
    expect(taken(queue)).toEqual([])
    queue.release([second!])
    expect(taken(queue)).toEqual([2])
  })

  test("takes who expects a version only as the first for its stream", () => {
    const queue = queueOf(
      { streams: ["a"] },
      { streams: ["a"], expected: 1 },
      { streams: ["b"], expected: "exists" }
    )
    expect(taken(queue)).toEqual([0, 2])
  })

  test("lets nobody overtake another for the same stream", () => {
    const queue = queueOf({ streams: ["a"] }, { streams: ["a"], expected: 1 }, { streams: ["a"] })
    expect(taken(queue)).toEqual([0])
  })

  test("holds a request over several streams alone", () => {
    const queue = queueOf({ streams: ["a"] }, { streams: ["b", "c"] }, { streams: ["c"] }, { streams: ["d"] })
    const first = queue.take()
    expect(first.map(({ nth }) => nth)).toEqual([0, 3])
    expect(taken(queue)).toEqual([1])
  })

  test("holds an id once", () => {
    const queue = queueOf(
      { streams: ["a"], id: "x" },
      { streams: ["b"], id: "x" },
      { streams: ["c"], id: "y" }
    )
    expect(taken(queue)).toEqual([0, 2])
    expect(taken(queue)).toEqual([1])
  })

  test("is bounded in events and in bytes, and a larger request goes alone", () => {
    const half = MAX_BATCH_EVENTS / 2
    const events = queueOf(
      { streams: ["a"], events: half },
      { streams: ["b"], events: half },
      { streams: ["c"] }
    )
    expect(taken(events)).toEqual([0, 1])
    const bytes = queueOf({ streams: ["a"], bytes: MAX_BATCH_BYTES }, { streams: ["b"] })
    expect(taken(bytes)).toEqual([0])
    const large = queueOf(
      { streams: ["a"] },
      { streams: ["b"], events: MAX_BATCH_EVENTS + 1 },
      { streams: ["c"] }
    )
    expect(taken(large)).toEqual([0, 2])
    expect(taken(large)).toEqual([1])
  })
})

test("a queue is full at its bound of events or of bytes, and has room again when some were taken", () => {
  for (const given of [{ events: MAX_WAITING_EVENTS }, { bytes: MAX_WAITING_BYTES }]) {
    const queue = queueOf({ streams: ["a"], ...given })
    expect(queue.isFull).toBe(true)
    queue.take()
    expect(queue.isFull).toBe(false)
  }
})

test("whatever comes and however batches end, nothing is lost and each stream is first in, first out", () => {
  const given = fc.record({
    streams: fc.uniqueArray(fc.constantFrom("a", "b", "c"), { minLength: 1 }),
    expected: fc.constantFrom<ExpectedVersion>("any", "none", 3),
    id: fc.constantFrom("x", "y", "z")
  })
  const step = fc.oneof(
    given.map((one) => ({ push: one })),
    fc.constant("take" as const),
    fc.nat(5).map((nth) => ({ release: nth }))
  )
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const queue = new AppendQueue<Numbered>()
      const order: Array<Numbered> = []
      const underWay: Array<Numbered> = []
      let pushed = 0
      const take = () => {
        const batch = queue.take()
        const busy = underWay.flatMap((one) => one.request.parts.map(({ stream }) => stream))
        expect(batch.some((one) => one.request.parts.some(({ stream }) => busy.includes(stream)))).toBe(false)
        order.push(...batch)
        underWay.push(...batch)
        return batch.length
      }
      for (const one of steps) {
        if (one === "take") take()
        else if ("push" in one) queue.push(entry((pushed += 1), one.push))
        else queue.release(underWay.splice(one.release, 1))
      }
      do queue.release(underWay.splice(0))
      while (take() > 0)
      expect(order).toHaveLength(pushed)
      for (const stream of ["a", "b", "c"]) {
        const nths = order
          .filter((one) => one.request.parts.some((part) => part.stream === stream))
          .map(({ nth }) => nth)
        expect(nths).toEqual(nths.toSorted((a, b) => a - b))
      }
    })
  )
})
