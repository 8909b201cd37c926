import { ExitCode } from "./exit-code.ts"
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
  const giving = new AbortController()
  void interruption.requested.then(() => giving.abort(new Error("interrupted")))
  const { signal } = giving
  try {
    const report = await engine.maintain({
      dryRun,
      signal,
      ...(json ? {} : { onStep: (step) => sayOnStandardError(`${stepName(step)} …`) })
    })
    const lines = json ? [jsonLine(report)] : maintainText(report, paintFor(process.stdout), widthNow())
    for (const line of lines) await writeLine(line)
    return report.steps.some(({ outcome }) => outcome === "failed") ? ExitCode.failure : ExitCode.ok
  } catch (thrown) {
    if (!signal.aborted || thrown !== signal.reason) throw thrown
    sayOnStandardError(GIVEN_UP)
    return ExitCode.interrupted
  }
}
