import { ExitCode } from "./exit-code.ts"
import { healthText } from "./health-text.ts"
import { widthNow, writeLine } from "./output.ts"
import { openAt, placeFor, type PlaceOptions, sayOnStandardError } from "./place.ts"
import { paintFor } from "./terminal/palette.ts"
import { jsonLine } from "./terminal/text.ts"

export interface HealthCommand extends PlaceOptions {
  readonly json?: boolean
}

/** `tidemark health`: whether a log and its fleet are well, and what to do where they are not. */
export const health = async (options: HealthCommand): Promise<ExitCode> => {
  await using place = await placeFor(options, sayOnStandardError)
  await using engine = await openAt(place, options, sayOnStandardError, "follow")
  const found = await engine.health()
  const lines =
    options.json === true ? [jsonLine(found)] : healthText(found, paintFor(process.stdout), widthNow())
  for (const line of lines) await writeLine(line)
  return found.status === "unhealthy" ? ExitCode.failure : ExitCode.ok
}
