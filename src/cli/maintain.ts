import { ExitCode } from "./exit-code.ts"
import { untilGivenUp } from "./giving-up.ts"
import { Interruption } from "./interruption.ts"
import { maintainText, stepName } from "./maintain-text.ts"
import { widthNow, writeLine } from "./output.ts"
import { openAt, placeFor, type PlaceOptions, sayOnStandardError } from "./place.ts"
import { paintFor } from "./terminal/palette.ts"
import { jsonLine } from "./terminal/text.ts"

export interface MaintainCommand extends PlaceOptions {
  readonly dryRun?: boolean
  readonly json?: boolean
}

const GIVEN_UP = "Given up: what was done before stays, and what was under way was cancelled."

/** `tidemark maintain`: looks after the log's tables and indexes, and tells how they stand. */
export const maintain = async (options: MaintainCommand): Promise<ExitCode> => {
  using interruption = new Interruption(() => process.exit(ExitCode.interrupted))
  const { dryRun = false, json = false } = options
  await using place = await placeFor(options, sayOnStandardError)
  await using engine = await openAt(place, options, sayOnStandardError, "follow")
  return await untilGivenUp(interruption, GIVEN_UP, async (signal) => {
    const report = await engine.maintain({
      dryRun,
      signal,
      ...(json ? {} : { onStep: (step) => sayOnStandardError(`${stepName(step)} …`) })
    })
    const lines = json ? [jsonLine(report)] : maintainText(report, paintFor(process.stdout), widthNow())
    for (const line of lines) await writeLine(line)
    return report.steps.some(({ outcome }) => outcome === "failed") ? ExitCode.failure : ExitCode.ok
  })
}
