import { describe, expect, test } from "vitest"
import type { Event } from "../../../src/log/event.ts"
import type { Sink } from "../../../src/log/feed.ts"
import { Sinks } from "../../../src/log/sinks.ts"
import { collector } from "../../support/eventually.ts"
import { testLog, upTo } from "../test-log.ts"

// A thousand subscriptions that name a stream each cost a page of the feed what is in it, not what there is of them.

const eventOf = (position: number, stream: string) => ({ position, stream }) as Event

const noted = (wants: Pick<Sink, "streams" | "types" | "patienceMs"> = {}) => {
  const offers: Array<ReadonlyArray<number>> = []
  const sink: Sink = {
    ...wants,
    offer: (events) => void offers.push(events.map(({ position }) => position)),
    rewound: () => undefined
  }
  return { sink, offers }
}

describe("what a page of the feed is offered to", () => {
  test("is who has events in it, with these alone, and whoever names no streams", () => {
    const sinks = new Sinks()
    const [any, a, ab, none] = [
      noted(),
      noted({ streams: ["a-1"] }),
      noted({ streams: ["a-1", "b-1"] }),
      noted({ streams: ["c-1"] })
    ]
    for (const { sink } of [any, a, ab, none]) sinks.add(sink)
    sinks.hand([eventOf(1, "a-1"), eventOf(2, "b-1"), eventOf(3, "a-1"), eventOf(4, "d-1")], 4)
    sinks.delete(a.sink)
    sinks.hand([eventOf(5, "a-1")], 5)
    expect(any.offers).toEqual([[1, 2, 3, 4], [5]])
    expect(a.offers).toEqual([[1, 3]])
    expect(ab.offers).toEqual([[1, 2, 3], [5]])
    expect(none.offers).toEqual([])
  })

  test("are the types that all of them name, by the patience of the least patient", () => {
    const sinks = new Sinks()
    const [one, other, all] = [
      noted({ types: ["A", "B"], patienceMs: 50 }),
      noted({ types: ["B", "C"], patienceMs: 20 }),
      noted()
    ]
    for (const { sink } of [one, other, all]) sinks.add(sink)
    expect([sinks.types, sinks.patienceMs]).toEqual([undefined, 0])
    sinks.delete(all.sink)
    expect([sinks.types, sinks.patienceMs]).toEqual([["A", "B", "C"], 20])
    sinks.delete(other.sink)
    expect([sinks.types, sinks.patienceMs]).toEqual([["A", "B"], 50])
  })
})

describe("subscriptions that name a stream each", () => {
  const log = testLog()

  test("move on with the log where nothing of theirs comes, and hear what does", async () => {
    const streams = upTo(50).map(() => log.stream())
    const heard = collector<string>()
    const subscriptions = []
    for (const stream of streams)
      subscriptions.push(
        await log.engine.subscribe({ streams: [stream] }, (event) => heard.push(event.stream))
      )
    for (const stream of streams) await log.engine.emit(stream, { type: "Told" })
    await heard.reaches(streams.length)
    const { position } = await log.engine.emit(log.stream(), { type: "Elsewhere" })
    const all = collector<number>()
    await log.engine.subscribe({ from: position - 1 }, (event) => all.push(event.position))
    await all.reaches(1)
    expect(subscriptions.map((one) => one.position)).toEqual(subscriptions.map(() => position))
    for (const one of subscriptions) await one.stop()
    await log.engine.emit(streams[0]!, { type: "Later" })
    expect(subscriptions.map((one) => one.position)).toEqual(subscriptions.map(() => position))
    expect(heard.items).toEqual(streams)
  })
})
