import { setTimeout as delay } from "node:timers/promises"
import { ExitCode } from "./exit-code.ts"
import { failure, failureText } from "./failure.ts"
import { Interruption } from "./interruption.ts"
import { openAt, placeFor, type PlaceOptions, sayOnStandardError } from "./place.ts"
import { type ShownStatus, statusText } from "./status-text.ts"
import { paintFor } from "./terminal/palette.ts"
import { Screen } from "./terminal/screen.ts"

export interface StatusOptions extends PlaceOptions {
  readonly json?: boolean
  /** Look again and again, every so many seconds; true for as often as is usual. */
  readonly watch?: number | true
}

const DEFAULT_EVERY_SECONDS = 2
const MS_PER_SECOND = 1000

/** Rows of a terminal of unknown size. */
const DEFAULT_ROWS = 24

/** What a look found, in lines of a width at most. */
type Found = (width?: number) => string

/** Shows what was found: redrawn in place on a terminal, one after the other elsewhere. */
type Show = (found: Found) => Promise<void> | void

const drawing = (screen: Screen): Show => {
  if (!screen.isLive) return (found) => screen.print(`${found()}\n`)
  const lines = (text: string) => text.split("\n").slice(0, (process.stdout.rows || DEFAULT_ROWS) - 1)
  return (found) => screen.show((width) => lines(found(width)))
}

/** Until nobody wants to see more. A look that fails is said, and the next may succeed. */
const watch = async (look: () => Promise<Found>, everySeconds: number, show: Show): Promise<void> => {
  using interruption = new Interruption(() => process.exit(ExitCode.interrupted))
  while (!interruption.isRequested) {
    const found = await look().catch((error: unknown) => () => failureText(failure(error, false), false))
    await show(found)
    const waiting = new AbortController()
    const pause = delay(everySeconds * MS_PER_SECOND, undefined, { signal: waiting.signal })
    await Promise.race([interruption.requested, pause.catch(() => undefined)])
    waiting.abort()
  }
}

/** `tidemark status`: how the log stands, once or as long as somebody watches. */
export const status = async (options: StatusOptions): Promise<ExitCode> => {
  await using place = await placeFor(options, sayOnStandardError)
  await using engine = await openAt(place, options, sayOnStandardError, "follow")
  const paint = paintFor(process.stdout)
  const asked = async (): Promise<ShownStatus> => ({
    database: place.where,
    directory: place.embedded?.directory,
    ...(await engine.status())
  })
  const look = async (): Promise<Found> => {
    const shown = await asked()
    return options.json === true ? () => JSON.stringify(shown) : (width) => statusText(shown, paint, width)
  }
  const print: Show = (found) => void process.stdout.write(`${found()}\n`)
  if (options.watch === undefined) {
    await print(await look())
    return ExitCode.ok
  }
  const everySeconds = options.watch === true ? DEFAULT_EVERY_SECONDS : options.watch
  if (options.json === true) await watch(look, everySeconds, print)
  else await watchOnScreen(look, everySeconds)
  return ExitCode.ok
}

const watchOnScreen = async (look: () => Promise<Found>, everySeconds: number): Promise<void> => {
  const screen = new Screen(process.stdout)
  const show = drawing(screen)
  let last: Found = () => ""
  try {
    await watch(look, everySeconds, (found) => {
      last = found
      return show(found)
    })
  } finally {
    // What was seen last stays to be read.
    if (screen.isLive) await screen.print(last(screen.width))
    screen.close()
  }
}
