import { Effect } from "effect"
import { expect, test } from "vitest"
import { noteSize } from "../../src/log/event-size.ts"
import type { Event } from "../../src/log/event.ts"
import type { Feed, Sink } from "../../src/log/feed.ts"
import { PAGE_BYTES } from "../../src/log/page-size.ts"
import { Backlog, BACKLOG_EVENTS } from "../../src/log/backlog.ts"

/** A backlog that is fed from memory, and the sink by which it is. */
const live = () => {
  let sink: Sink | undefined
  const feed = {
    position: () => 0,
    attach: (attached: Sink) => {
      sink = attached
      return () => undefined
    }
  }
  const listener = { onOffer: () => undefined, onRewound: () => undefined }
  const backlog = new Backlog(feed as unknown as Feed["Service"], { filter: { types: ["T"] } }, listener)
  Effect.runSync(backlog.fill)
  return { backlog, sink: sink! }
}

const events = (count: number, bytes: number): ReadonlyArray<Event> =>
  Array.from({ length: count }, (_, at) => {
    const event = { position: at + 1, type: "T" } as Event
    noteSize(event, bytes)
    return event
  })

test("a projection holds no more events than it may, and then reads on by itself", () => {
  const { backlog, sink } = live()
  sink.offer(events(BACKLOG_EVENTS, 0), BACKLOG_EVENTS)
  expect(backlog).toMatchObject({ size: BACKLOG_EVENTS, isLive: true })
  sink.offer([{ position: BACKLOG_EVENTS + 1, type: "T" } as Event], BACKLOG_EVENTS + 1)
  expect(backlog).toMatchObject({ size: BACKLOG_EVENTS, isLive: false, upTo: BACKLOG_EVENTS })
})

test("a projection holds no more bytes than it may, and has room again when events are folded", () => {
  const { backlog, sink } = live()
  const large = PAGE_BYTES / 8
  sink.offer(events(20, large), 20)
  expect(backlog).toMatchObject({ size: 8, isLive: false, upTo: 8 })
  backlog.drop(8)
  const { backlog: again, sink: next } = live()
  next.offer(events(6, large), 6)
  again.drop(6)
  next.offer(events(14, large).slice(6), 14)
  expect(again).toMatchObject({ size: 8, isLive: true, upTo: 14 })
})
