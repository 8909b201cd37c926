import { Effect } from "effect"
import { expect, test } from "vitest"
import { noteSize } from "../../src/log/event-size.ts"
import type { Event } from "../../src/log/event.ts"
import type { Feed, Sink } from "../../src/log/feed.ts"
import { PAGE_BYTES } from "../../src/log/page-size.ts"
import { Backlog, BACKLOG_EVENTS } from "../../src/log/backlog.ts"
import { LogRewound } from "../../src/log/error.ts"

/** A backlog that is fed from memory, and the sink by which it is. */
const live = () => {
  let sink: Sink | undefined
  const feed = {
    position: () => 0,
    origin: () => ({ id: "log", epoch: 1 }),
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

/** A backlog that reads pages of a log, whose epoch may change; `rewound` is what is said then of what it holds. */
const behind = (rewound?: LogRewound) => {
  const log = { epoch: 1, pages: 0 }
  const origin = () => ({ id: "log", epoch: log.epoch })
  const page = (_: unknown, after: number) =>
    Effect.sync(() => {
      log.pages += 1
      return { events: [{ position: after + 1, type: "T" } as Event], last: after + 1 }
    })
  const told = { rewound: 0 }
  const feed = { position: () => 9, origin, page, rewound: () => Effect.succeed(rewound) }
  const listener = { onOffer: () => undefined, onRewound: () => void (told.rewound += 1) }
  const backlog = new Backlog(feed as unknown as Feed["Service"], { filter: {} }, listener)
  return { log, told, backlog, fill: () => Effect.runSync(backlog.fill) }
}

test("what is held of an epoch that ended before it is told to be of no log any more, and nothing is added to it", () => {
  const { log, told, backlog, fill } = behind(new LogRewound({ position: 1, head: 0, detail: "it is lost" }))
  fill()
  expect(backlog).toMatchObject({ size: 1, isCurrent: true })
  log.epoch = 2
  expect(backlog.isCurrent).toBe(false)
  fill()
  expect(told.rewound).toBe(1)
  expect(log.pages).toBe(1)
  backlog.restart(0)
  fill()
  expect(backlog).toMatchObject({ size: 1, isCurrent: true, upTo: 1 })
})

test("what is held of an epoch that ended behind it is gone on from", () => {
  const { log, told, backlog, fill } = behind()
  fill()
  log.epoch = 2
  fill()
  fill()
  expect(told.rewound).toBe(0)
  expect(backlog).toMatchObject({ size: 2, isCurrent: true, upTo: 2 })
})
