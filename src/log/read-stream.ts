import { Effect, Option, Stream } from "effect"
import type { PostgresError } from "../postgres/error.ts"
import type { Postgres } from "../postgres/postgres.ts"
import { statement } from "../postgres/sql-file.ts"
import { InvalidArgument, type LogError, logError } from "./error.ts"
import type { Event } from "./event.ts"
import type { EventTypes } from "./event-type.ts"
import { streamProblem } from "./name.ts"
import { PAGE_BYTES, PageSize } from "./page-size.ts"
import { type EventRow, portionOf, upcastEvent } from "./recorded.ts"

export interface ReadOptions {
  /** The lowest version wanted; 1 by default. */
  readonly from?: number
  /** The highest version wanted; the stream's last by default. */
  readonly to?: number
  /** From the highest version down. */
  readonly backwards?: boolean
  /** How many events at most. */
  readonly limit?: number
}

interface Window {
  readonly from: number
  readonly to: number
  readonly left: number
}

const optionsProblem = ({ from, to, limit }: ReadOptions): InvalidArgument | undefined => {
  for (const [name, value] of Object.entries({ from, to, limit })) {
    if (value !== undefined && (!Number.isSafeInteger(value) || value < 0)) {
      return new InvalidArgument({ problem: `${name} is ${value}: give a whole number from 0` })
    }
  }
  return undefined
}

/** Reads a stream page by page; each page is a query of its own, so a long read holds nothing open. */
export const readStream = (
  postgres: Postgres["Service"],
  types: EventTypes,
  stream: string,
  options: ReadOptions = {}
): Stream.Stream<Event, LogError | PostgresError> => {
  const wrong = streamProblem(stream) ?? optionsProblem(options)
  if (wrong !== undefined) return Stream.fail(logError(wrong))
  const { backwards = false } = options
  const { text, name } = statement(backwards ? "read_stream_backwards" : "read_stream", postgres.schema)

  const page = (
    pageSize: PageSize,
    window: Window
  ): Effect.Effect<readonly [ReadonlyArray<Event>, Option.Option<Window>], LogError | PostgresError> =>
    Effect.gen(function* () {
      const portion = yield* pageSize.read((wanted) => {
        const limit = Math.min(wanted, window.left)
        const values = [stream, window.from, window.to, limit, PAGE_BYTES]
        const query = postgres.query<EventRow>(text, values, { name, arrays: true })
        return Effect.map(query, ({ rows }) => portionOf(rows, limit))
      })
      const events: Array<Event> = []
      for (const event of portion.events) events.push(yield* upcastEvent(types, event))
      const last = events.at(-1)
      const left = window.left - events.length
      if (last === undefined || !portion.isFull || left === 0) return [events, Option.none()] as const
      const next = backwards
        ? { ...window, to: last.version - 1, left }
        : { ...window, from: last.version + 1, left }
      return [events, Option.some(next)] as const
    })

  const first: Window = {
    from: options.from ?? 1,
    to: options.to ?? Number.MAX_SAFE_INTEGER,
    left: options.limit ?? Number.MAX_SAFE_INTEGER
  }
  if (first.left === 0) return Stream.empty
  return Stream.suspend(() => {
    const pageSize = new PageSize()
    return Stream.paginate(first, (window) => page(pageSize, window))
  })
}
