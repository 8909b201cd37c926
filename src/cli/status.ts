import { ExitCode } from "./exit-code.ts"
import { openAt, placeFor, type PlaceOptions, sayOnStandardError } from "./place.ts"
import { statusText } from "./status-text.ts"
import { paintFor } from "./terminal/palette.ts"

export interface StatusOptions extends PlaceOptions {
  readonly json?: boolean
}

/** `tidemark status`: how the log stands. */
export const status = async (options: StatusOptions): Promise<ExitCode> => {
  await using place = await placeFor(options, sayOnStandardError)
  await using engine = await openAt(place, options, sayOnStandardError, "follow")
  const shown = { database: place.where, directory: place.embedded?.directory, ...(await engine.status()) }
  const text = options.json === true ? JSON.stringify(shown) : statusText(shown, paintFor(process.stdout))
  process.stdout.write(`${text}\n`)
  return ExitCode.ok
}
