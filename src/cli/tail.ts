import type { Engine, Event, SubscribeOptions } from "../index.ts"
import { ExitCode } from "./exit-code.ts"
import { Interruption } from "./interruption.ts"
import { widthNow, writeLine } from "./output.ts"
import { openAt, placeFor, type PlaceOptions, sayOnStandardError } from "./place.ts"
import { EventRows } from "./terminal/event-row.ts"
import { paintFor } from "./terminal/palette.ts"
import { jsonLine } from "./terminal/text.ts"

export interface TailOptions extends PlaceOptions, SubscribeOptions {
  /** Ends after that many events. */
  readonly limit?: number
  readonly json?: boolean
}

/** For people: rows as wide as the terminal is now. */
const rowWriter = (settled: number): ((event: Event) => Promise<void>) => {
  const paint = paintFor(process.stdout)
  const rows = (): EventRows => new EventRows(paint, widthNow())
  if (process.stdout.isTTY) void writeLine(rows().header())
  return (event) => {
    const at = Date.now()
    const latencyMs = event.position <= settled ? undefined : Math.max(0, at - event.recordedAt.getTime())
    return writeLine(rows().row({ event, at, latencyMs, isEstimate: true }))
  }
}

const filterOf = ({ from, streams, categories, types, labels, agent }: TailOptions): SubscribeOptions => ({
  from: from ?? "now",
  ...(streams === undefined ? {} : { streams }),
  ...(categories === undefined ? {} : { categories }),
  ...(types === undefined ? {} : { types }),
  ...(labels === undefined ? {} : { labels }),
  ...(agent === undefined ? {} : { agent })
})

/** Writes events as they come, until there were enough or nobody wants more. */
const follow = async (engine: Engine, options: TailOptions, interruption: Interruption): Promise<void> => {
  const write =
    options.json === true ? (event: Event) => writeLine(jsonLine(event)) : rowWriter(await engine.settled())
  let left = options.limit ?? Number.POSITIVE_INFINITY
  const subscription = await engine.subscribe(filterOf(options), async (event) => {
    if (left === 0) return
    left -= 1
    await write(event)
    if (left === 0) interruption.request()
  })
  try {
    await Promise.race([interruption.requested, subscription.done])
  } finally {
    await subscription.stop()
  }
}

/** `tidemark tail`: follows the log. */
export const tail = async (options: TailOptions): Promise<ExitCode> => {
  using interruption = new Interruption(() => process.exit(ExitCode.interrupted))
  await using place = await placeFor(options, sayOnStandardError)
  await using engine = await openAt(place, options, sayOnStandardError, "follow")
  await follow(engine, options, interruption)
  return ExitCode.ok
}
