import { Effect, Option, Stream } from "effect"
import type { PostgresError } from "../postgres/error.ts"
import type { Postgres } from "../postgres/postgres.ts"
import { statement } from "../postgres/sql-file.ts"
import { InvalidArgument, type LogError, logError } from "./error.ts"
import type { Event } from "./event.ts"
import type { EventTypes } from "./event-type.ts"
import { streamProblem } from "./name.ts"
import { PAGE_EVENTS } from "./page.ts"
import { type EventRow, eventOf, upcastEvent } from "./recorded.ts"

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
    window: Window
  ): Effect.Effect<readonly [ReadonlyArray<Event>, Option.Option<Window>], LogError | PostgresError> =>
    Effect.gen(function* () {
      const size = Math.min(PAGE_EVENTS, window.left)
      const values = [stream, window.from, window.to, size]
      const { rows } = yield* postgres.query<EventRow>(text, values, { name, arrays: true })
      const events: Array<Event> = []
      for (const row of rows) events.push(yield* upcastEvent(types, eventOf(row)))
      const last = events.at(-1)
      const left = window.left - events.length
      if (last === undefined || events.length < size || left === 0) return [events, Option.none()] as const
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
  return first.left === 0 ? Stream.empty : Stream.paginate(first, page)
}
