import { doctorText } from "./doctor-text.ts"
import { ExitCode } from "./exit-code.ts"
import { widthNow, writeLine } from "./output.ts"
import { openAt, placeFor, type PlaceOptions, sayOnStandardError } from "./place.ts"
import { paintFor } from "./terminal/palette.ts"
import { jsonLine } from "./terminal/text.ts"

export interface DoctorCommand extends PlaceOptions {
  /** Of the server's machine, in bytes. */
  readonly memory?: number
  readonly json?: boolean
}

/** `tidemark doctor`: what of the server and the log is not as it is advised, and what mends it. */
export const doctor = async (options: DoctorCommand): Promise<ExitCode> => {
  const { memory, json = false } = options
  await using place = await placeFor(options, sayOnStandardError)
  await using engine = await openAt(place, options, sayOnStandardError, "follow")
  const diagnosis = await engine.doctor(memory === undefined ? {} : { memoryBytes: memory })
  const lines = json ? [jsonLine(diagnosis)] : doctorText(diagnosis, paintFor(process.stdout), widthNow())
  for (const line of lines) await writeLine(line)
  return diagnosis.findings.some(({ severity }) => severity === "problem") ? ExitCode.failure : ExitCode.ok
}
