import { setTimeout as pause } from "node:timers/promises"
import type { Engine, EngineStatus } from "../index.ts"
import { ExitCode } from "./exit-code.ts"
import { openAt, placeFor, type PlaceOptions, sayOnStandardError } from "./place.ts"
import { statusText } from "./status-text.ts"
import { paintFor } from "./terminal/palette.ts"

export interface StatusOptions extends PlaceOptions {
  readonly json?: boolean
}

/** A reader needs a moment at a gap until it knows who holds the tail, in ms. */
const MOMENT_MS = 50

/** Who holds the tail is known to those who read it: so read it, for a moment. */
const diagnosed = async (engine: Engine): Promise<EngineStatus> => {
  const reading = await engine.subscribe({}, () => undefined)
  try {
    const first = await engine.status()
    const isAtHead = first.feed.position !== undefined && first.feed.position >= first.head
    if (isAtHead || first.feed.heldBy.length > 0) return first
    await pause(MOMENT_MS)
    return await engine.status()
  } finally {
    await reading.stop()
  }
}

/** `tidemark status`: how the log stands. */
export const status = async (options: StatusOptions): Promise<ExitCode> => {
  await using place = await placeFor(options, sayOnStandardError)
  await using engine = await openAt(place, options, sayOnStandardError, "follow")
  const found = await diagnosed(engine)
  const shown = { database: place.where, directory: place.embedded?.directory, ...found, subscriptions: [] }
  const text = options.json === true ? JSON.stringify(shown) : statusText(shown, paintFor(process.stdout))
  process.stdout.write(`${text}\n`)
  return ExitCode.ok
}
