import { ExitCode } from "./exit-code.ts"
import { untilGivenUp } from "./giving-up.ts"
import { Interruption } from "./interruption.ts"
import { widthNow, writeLine } from "./output.ts"
import { openAt, placeFor, type PlaceOptions, sayOnStandardError } from "./place.ts"
import { retentionText } from "./retention-text.ts"
import { paintFor } from "./terminal/palette.ts"
import { jsonLine } from "./terminal/text.ts"

export interface RetentionCommand extends PlaceOptions {
  readonly dryRun?: boolean
  readonly archive?: string
  readonly json?: boolean
}

const GIVEN_UP = "Given up: what was done before stays."

/** `tidemark retention`: drops telemetry that is over, and tells what stays and why. */
export const retention = async (options: RetentionCommand): Promise<ExitCode> => {
  using interruption = new Interruption(() => process.exit(ExitCode.interrupted))
  const { dryRun = false, json = false, archive } = options
  await using place = await placeFor(options, sayOnStandardError)
  await using engine = await openAt(place, options, sayOnStandardError, "follow")
  return await untilGivenUp(interruption, GIVEN_UP, async (signal) => {
    const report = await engine.retain({
      dryRun,
      signal,
      ...(archive === undefined ? {} : { archiveDirectory: archive }),
      ...(json ? {} : { onStep: ({ kind, subject }) => sayOnStandardError(`${kind} ${subject} …`) })
    })
    const lines = json ? [jsonLine(report)] : retentionText(report, paintFor(process.stdout), widthNow())
    for (const line of lines) await writeLine(line)
    return report.steps.some(({ outcome }) => outcome === "failed") ? ExitCode.failure : ExitCode.ok
  })
}
