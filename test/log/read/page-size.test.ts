import { Effect } from "effect"
import fc from "fast-check"
import { describe, expect, test } from "vitest"
import type { Event } from "../../../src/log/event.ts"
import { NO_FILTER } from "../../../src/log/filter.ts"
import type { Pages } from "../../../src/log/page.ts"
import { PAGE_BYTES, PAGE_EVENTS, PageSize, type Portion } from "../../../src/log/page-size.ts"
import { Pager } from "../../../src/log/pager.ts"
import { AccessDenied, ConnectionLost, PostgresError, StatementTimeout } from "../../../src/postgres/error.ts"
import { upTo } from "../test-log.ts"

const lost = new PostgresError({ reason: new ConnectionLost({ detail: "no answer" }) })
const tooSlow = new PostgresError({ reason: new StatementTimeout({ detail: "too slow" }) })
const denied = new PostgresError({ reason: new AccessDenied({ detail: "no" }) })

const portion = (count: number, isFull: boolean): Portion => ({
  events: upTo(count).map((position) => ({ position }) as Event),
  count,
  last: count,
  isFull
})

/** What a reader asks for, each time it gets such an answer. */
const asks = (size: PageSize, answers: ReadonlyArray<PostgresError | ((limit: number) => Portion)>) => {
  const asked: Array<number> = []
  for (const answer of answers) {
    const query = (limit: number) => {
      asked.push(limit)
      return answer instanceof PostgresError ? Effect.fail(answer) : Effect.succeed(answer(limit))
    }
    Effect.runSync(Effect.exit(size.read(query)))
  }
  return asked
}

const all = (limit: number) => portion(limit, true)
const cutAfter = (count: number) => () => portion(count, true)
const end = () => portion(3, false)

describe("a reader asks", () => {
  test.each([
    ["no answer came", lost],
    ["the answer took too long", tooSlow]
  ])("for half as many where %s, down to one, and for more again when pages come", (_, error) => {
    const size = new PageSize()
    expect(
      asks(
        size,
        Array.from({ length: 12 }, () => error)
      )
    ).toEqual([1000, 500, 250, 125, 62, 31, 15, 7, 3, 1, 1, 1])
    expect(
      asks(
        size,
        Array.from({ length: 12 }, () => all)
      )
    ).toEqual([1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1000, 1000])
  })

  test("for as many as before where the server refused", () => {
    expect(asks(new PageSize(), [denied, denied])).toEqual([PAGE_EVENTS, PAGE_EVENTS])
  })

  test("for no more than fitted, until they fit again", () => {
    expect(asks(new PageSize(), [cutAfter(8), cutAfter(7), all, all, lost, end, all])).toEqual([
      1000, 8, 7, 14, 28, 14, 14
    ])
  })
})

test("where few events match, a reader whose answers do not come looks less far at a time", () => {
  const reachable = 10_000
  const wanted = 3_000_000
  let calls = 0
  const between: Pages["between"] = (after, upToPosition) =>
    Effect.suspend(() => {
      calls += 1
      if (upToPosition - after > reachable) return Effect.fail(tooSlow)
      const events = after < wanted && wanted <= upToPosition ? [{ position: wanted } as Event] : []
      return Effect.succeed({
        events,
        count: events.length,
        last: events.at(-1)?.position ?? 0,
        isFull: false
      })
    })
  const pager = new Pager({ between } as Pages, { types: ["Rare"] })
  let at = 0
  let found: ReadonlyArray<Event> = []
  while (found.length === 0 && calls < 2 * (wanted / 2_000)) {
    const page = Effect.runSync(Effect.option(pager.next(at, 2 * wanted)))
    if (page._tag === "Some") {
      at = page.value.last
      found = page.value.events
    }
  }
  expect(found).toMatchObject([{ position: wanted }])
})

describe("whatever the sizes of events are, and whichever answers are lost,", () => {
  /** A log in memory that cuts pages as the server does. */
  const logOf = (bytes: ReadonlyArray<number>, loses: () => boolean) => {
    const between: Pages["between"] = (after, upToPosition, limit) =>
      Effect.suspend(() => {
        if (loses()) return Effect.fail(lost)
        const events: Array<Event> = []
        let read = 0
        for (let at = after; at < Math.min(bytes.length, upToPosition); at++) {
          if (events.length === limit || read >= PAGE_BYTES) break
          events.push({ position: at + 1 } as Event)
          read += bytes[at]!
        }
        return Effect.succeed({
          events,
          count: events.length,
          last: events.at(-1)?.position ?? 0,
          isFull: events.length === limit || read >= PAGE_BYTES
        })
      })
    return { between } as Pages
  }

  const eventBytes = fc.oneof(
    fc.integer({ min: 10, max: 2_000 }),
    fc.integer({ min: 100_000, max: 9_000_000 })
  )

  test.each([
    ["a reader of all", NO_FILTER],
    ["a reader of a filter", { types: ["T"] }]
  ])("%s gets every event once and in order", (_, filter) => {
    fc.assert(
      fc.property(
        fc.array(eventBytes, { maxLength: 200 }),
        fc.infiniteStream(fc.nat(3)),
        (bytes, chances) => {
          let failures = 0
          const pages = logOf(bytes, () => (failures += 1) < 100 && chances.next().value === 0)
          const pager = new Pager(pages, filter)
          const positions: Array<number> = []
          for (let at = 0; at < bytes.length;) {
            const page = Effect.runSync(Effect.option(pager.next(at, bytes.length)))
            if (page._tag === "None") continue
            positions.push(...page.value.events.map(({ position }) => position))
            at = page.value.last
          }
          expect(positions).toEqual(upTo(bytes.length))
        }
      )
    )
  })
})
